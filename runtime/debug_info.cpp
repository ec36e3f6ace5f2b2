// SPDX-License-Identifier: Apache-2.0
#include <d1/runtime/debug_info.hpp>

#include <cxxabi.h>
#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fmt/format.h>
#include <libelf.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <string_view>

namespace d1::runtime {
namespace {

// What is used of libelf and libdw, resolved at first use.
#define D1_LIBDW_FUNCTIONS(X)                                                                      \
  X(elf_version)                                                                                   \
  X(elf_memory)                                                                                    \
  X(elf_end)                                                                                       \
  X(dwarf_begin_elf)                                                                               \
  X(dwarf_end)                                                                                     \
  X(dwarf_errmsg) X(dwarf_nextcu) X(dwarf_offdie) X(dwarf_child) X(dwarf_siblingof) X(dwarf_tag)   \
      X(dwarf_diename) X(dwarf_attr) X(dwarf_attr_integrate) X(dwarf_formref_die)                  \
          X(dwarf_formudata) X(dwarf_bytesize) X(dwarf_entrypc) X(dwarf_haspc) X(dwarf_getsrc_die) \
              X(dwarf_linesrc) X(dwarf_lineno) X(dwarf_hasattr_integrate) X(dwarf_getsrcfiles)     \
                  X(dwarf_filesrc)

struct Libdw {
#define D1_DECLARE(name) decltype(&::name) name = nullptr;
  D1_LIBDW_FUNCTIONS(D1_DECLARE)
#undef D1_DECLARE
  std::string problem;

  Libdw() {
    // libdw.so.1 brings libelf along, so its functions are found through the same handle.
    void* handle = ::dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
      problem = ::dlerror();
      return;
    }
#define D1_RESOLVE(function)                                                      \
  function = reinterpret_cast<decltype(&::function)>(::dlsym(handle, #function)); \
  if (!function) problem = "it has no function " #function;
    D1_LIBDW_FUNCTIONS(D1_RESOLVE)
#undef D1_RESOLVE
    if (problem.empty()) elf_version(EV_CURRENT);
  }
};

const Libdw& libdw() {
  static const Libdw library;
  return library;
}

std::string_view name_of(Dwarf_Die& die) {
  const char* name = libdw().dwarf_diename(&die);
  return name ? name : "";
}

bool type_of(Dwarf_Die& die, Dwarf_Die& type) {
  Dwarf_Attribute attribute;
  return libdw().dwarf_attr_integrate(&die, DW_AT_type, &attribute) &&
         libdw().dwarf_formref_die(&attribute, &type);
}

struct StrippedType {
  Dwarf_Die die{};
  bool is_const = false;
  bool is_void = false;
};

// Follows typedefs and qualifiers to the type that decides the representation.
StrippedType strip(Dwarf_Die die) {
  StrippedType result{die, false, false};
  for (int depth = 0; depth < 64; ++depth) {
    switch (libdw().dwarf_tag(&result.die)) {
      case DW_TAG_const_type:
        result.is_const = true;
        [[fallthrough]];
      case DW_TAG_typedef:
      case DW_TAG_volatile_type:
      case DW_TAG_restrict_type: {
        Dwarf_Die next;
        if (!type_of(result.die, next)) {
          result.is_void = true;
          return result;
        }
        result.die = next;
        break;
      }
      default:
        return result;
    }
  }
  return result;
}

std::string spelled(Dwarf_Die die, int depth = 0) {
  const Libdw& dw = libdw();
  Dwarf_Die inner;
  const int tag = dw.dwarf_tag(&die);
  if (depth > 16) return "...";
  if (tag == DW_TAG_const_type) {
    return "const " + (type_of(die, inner) ? spelled(inner, depth + 1) : "void");
  }
  if (tag == DW_TAG_pointer_type) {
    return (type_of(die, inner) ? spelled(inner, depth + 1) : "void") + "*";
  }
  return std::string(name_of(die));
}

ElementType element_type(Dwarf_Die& die) {
  const Libdw& dw = libdw();
  const int bytes = dw.dwarf_bytesize(&die);
  ElementType type{ElementKind::Class, bytes < 0 ? 0 : static_cast<std::uint32_t>(bytes),
                   name_of(die)};
  if (dw.dwarf_tag(&die) == DW_TAG_enumeration_type) {
    Dwarf_Die underlying;
    if (type_of(die, underlying)) {
      auto stripped = strip(underlying);
      const auto inner = element_type(stripped.die);
      type.kind = inner.kind;
    } else {
      type.kind = ElementKind::Signed;
    }
    return type;
  }
  Dwarf_Attribute attribute;
  Dwarf_Word encoding = 0;
  if (dw.dwarf_tag(&die) != DW_TAG_base_type || !dw.dwarf_attr(&die, DW_AT_encoding, &attribute) ||
      dw.dwarf_formudata(&attribute, &encoding) != 0) {
    return type;
  }
  switch (encoding) {
    case DW_ATE_float:
      type.kind = ElementKind::Float;
      break;
    case DW_ATE_signed:
    case DW_ATE_signed_char:
      type.kind = ElementKind::Signed;
      break;
    case DW_ATE_boolean:
      type.kind = ElementKind::Boolean;
      break;
    case DW_ATE_unsigned:
    case DW_ATE_unsigned_char:
    case DW_ATE_UTF:
      type.kind = ElementKind::Unsigned;
      break;
    default:
      break;
  }
  return type;
}

// "sharded<float>" -> sharded.
bool placement_of(std::string_view name, Placement& placement) {
  const auto bracket = name.find('<');
  if (bracket == std::string_view::npos) return false;
  for (const Placement each :
       {Placement::OnNode, Placement::Sharded, Placement::Replicated, Placement::Hbm}) {
    if (name.substr(0, bracket) == to_string(each)) {
      placement = each;
      return true;
    }
  }
  return false;
}

Result<Parameter> read_parameter(const std::string& kernel, Dwarf_Die& die, unsigned number) {
  const Libdw& dw = libdw();
  Parameter parameter;
  parameter.name = name_of(die);
  const std::string label = parameter.name.empty() ? fmt::format("parameter {}", number)
                                                   : fmt::format("parameter '{}'", parameter.name);
  Dwarf_Die declared;
  if (!type_of(die, declared)) {
    return fail(ErrorKind::Invalid, fmt::format("The debug information of kernel '{}' does not say "
                                                "what type its {} has.",
                                                kernel, label));
  }
  parameter.type_name = spelled(declared);
  auto stripped = strip(declared);
  const int tag = dw.dwarf_tag(&stripped.die);
  if (tag == DW_TAG_pointer_type) {
    parameter.kind = ParameterKind::Pointer;
    parameter.type = {ElementKind::Unsigned, 8, {}};
    return parameter;
  }
  if ((tag == DW_TAG_class_type || tag == DW_TAG_structure_type) &&
      placement_of(name_of(stripped.die), parameter.placement)) {
    parameter.kind = ParameterKind::Buffer;
    parameter.type_name = "d1::" + parameter.type_name;
    Dwarf_Die child, element;
    if (dw.dwarf_child(&stripped.die, &child) == 0) {
      do {
        if (dw.dwarf_tag(&child) != DW_TAG_template_type_parameter || !type_of(child, element)) {
          continue;
        }
        auto inner = strip(element);
        parameter.type = element_type(inner.die);
        parameter.element_name = parameter.type.name;
        parameter.type.name = parameter.element_name;
        if (inner.is_const) parameter.access = ElementAccess::ReadOnly;
        return parameter;
      } while (dw.dwarf_siblingof(&child, &child) == 0);
    }
  } else if (!stripped.is_void) {
    parameter.type = element_type(stripped.die);
    parameter.element_name = parameter.type.name;
    parameter.type.name = parameter.element_name;
    if (parameter.type.kind != ElementKind::Class && parameter.type.bytes <= 8) return parameter;
  }
  return fail(
      ErrorKind::Unsupported,
      fmt::format("Kernel '{}' takes its {} as {}; a kernel's parameters are numbers and "
                  "enumerations of up to 8 bytes, pointers, and d1::sharded, d1::replicated, "
                  "d1::on_node and d1::hbm buffers.",
                  kernel, label, parameter.type_name));
}

// A symbol as people write it, without its parameters.
std::string plain_name(std::string_view symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> demangled(
      abi::__cxa_demangle(std::string(symbol).c_str(), nullptr, nullptr, &status), std::free);
  if (!demangled) return std::string(symbol);
  const std::string_view text(demangled.get());
  return std::string(text.substr(0, text.find('(')));
}

}  // namespace

struct DebugInfo::State {
  std::mutex mutex;
  Elf* elf = nullptr;
  Dwarf* dwarf = nullptr;  // null: the program has no debug information

  ~State() {
    if (dwarf) libdw().dwarf_end(dwarf);
    if (elf) libdw().elf_end(elf);
  }

  // Calls visit(unit die) for each compilation unit until it returns true.
  template <typename Visit>
  void each_unit(Visit&& visit) {
    if (!dwarf) return;
    Dwarf_Off offset = 0, next = 0;
    std::size_t header = 0;
    while (libdw().dwarf_nextcu(dwarf, offset, &next, &header, nullptr, nullptr, nullptr) == 0) {
      Dwarf_Die unit;
      if (libdw().dwarf_offdie(dwarf, offset + header, &unit) && visit(unit)) return;
      offset = next;
    }
  }
};

DebugInfo::DebugInfo(const ElfImage& image, std::unique_ptr<State> state)
    : image_(image), state_(std::move(state)) {}
DebugInfo::~DebugInfo() = default;

Result<std::unique_ptr<DebugInfo>> DebugInfo::open(const ElfImage& image) {
  const Libdw& dw = libdw();
  if (!dw.problem.empty()) {
    return fail(ErrorKind::Unsupported,
                fmt::format("Debug information cannot be read because libdw.so.1 cannot be used "
                            "({}); install the package libdw1.",
                            dw.problem));
  }
  auto state = std::make_unique<State>();
  // libelf does not write through it: the descriptor is never updated.
  auto* bytes = const_cast<char*>(reinterpret_cast<const char*>(image.bytes().data()));
  state->elf = dw.elf_memory(bytes, image.bytes().size());
  if (state->elf) state->dwarf = dw.dwarf_begin_elf(state->elf, DWARF_C_READ, nullptr);
  return std::unique_ptr<DebugInfo>(new DebugInfo(image, std::move(state)));
}

Result<Signature> DebugInfo::signature(const Symbol& kernel) {
  const Libdw& dw = libdw();
  std::lock_guard lock(state_->mutex);
  Result<Signature> result = fail(
      ErrorKind::Invalid,
      fmt::format("Program '{}' has no debug information for its kernel '{}', so the types of its "
                  "arguments are not known; build it with -g.",
                  image_.origin(), kernel.name));
  state_->each_unit([&](Dwarf_Die& unit) {
    Dwarf_Die child;
    if (dw.dwarf_child(&unit, &child) != 0) return false;
    do {
      Dwarf_Addr entry = 0;
      if (dw.dwarf_tag(&child) != DW_TAG_subprogram || dw.dwarf_entrypc(&child, &entry) != 0 ||
          entry != kernel.address) {
        continue;
      }
      Signature signature;
      signature.kernel = kernel.name;
      Dwarf_Die part;
      if (dw.dwarf_child(&child, &part) == 0) {
        do {
          if (dw.dwarf_tag(&part) != DW_TAG_formal_parameter) continue;
          auto parameter =
              read_parameter(kernel.name, part, static_cast<unsigned>(signature.parameters.size()));
          if (!parameter) {
            result = std::unexpected(std::move(parameter.error()));
            return true;
          }
          signature.parameters.push_back(std::move(*parameter));
        } while (dw.dwarf_siblingof(&part, &part) == 0);
      }
      result = std::move(signature);
      return true;
    } while (dw.dwarf_siblingof(&child, &child) == 0);
    return false;
  });
  return result;
}

namespace {

// From a die down to the innermost inlined call that covers the address: the function with code of
// its own first. Blocks in between are passed through.
void collect_calls(Dwarf_Die& scope, std::uint64_t address, std::vector<Dwarf_Die>& calls) {
  const Libdw& dw = libdw();
  Dwarf_Die child;
  if (dw.dwarf_child(&scope, &child) != 0) return;
  do {
    const int tag = dw.dwarf_tag(&child);
    const bool function = tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
    const bool holds_others = function || tag == DW_TAG_lexical_block || tag == DW_TAG_namespace;
    if (!holds_others) continue;
    // A namespace has no addresses of its own.
    if (tag != DW_TAG_namespace && dw.dwarf_haspc(&child, address) <= 0) continue;
    if (function) calls.push_back(child);
    const std::size_t before = calls.size();
    collect_calls(child, address, calls);
    if (function || calls.size() != before) return;
  } while (dw.dwarf_siblingof(&child, &child) == 0);
}

std::uint64_t number(Dwarf_Die& die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (libdw().dwarf_attr(&die, name, &attribute) != nullptr)
    (void)libdw().dwarf_formudata(&attribute, &value);
  return value;
}

// Where an inlined function was called.
SourceFrame call_of(Dwarf_Die& inlined, Dwarf_Die& unit) {
  SourceFrame frame;
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  const std::uint64_t file = number(inlined, DW_AT_call_file);
  if (libdw().dwarf_getsrcfiles(&unit, &files, &count) == 0 && file < count)
    if (const char* path = libdw().dwarf_filesrc(files, file, nullptr, nullptr)) frame.file = path;
  frame.line = static_cast<int>(number(inlined, DW_AT_call_line));
  return frame;
}

}  // namespace

SourcePlace DebugInfo::place(std::uint64_t address) {
  const Libdw& dw = libdw();
  SourcePlace place;
  std::lock_guard lock(state_->mutex);
  state_->each_unit([&](Dwarf_Die& unit) {
    if (dw.dwarf_haspc(&unit, address) <= 0) return false;
    if (Dwarf_Line* line = dw.dwarf_getsrc_die(&unit, address)) {
      if (const char* file = dw.dwarf_linesrc(line, nullptr, nullptr)) place.file = file;
      (void)dw.dwarf_lineno(line, &place.line);
    }
    std::vector<Dwarf_Die> calls;
    collect_calls(unit, address, calls);
    if (calls.empty()) return true;
    place.function = name_of(calls.back());
    for (std::size_t i = calls.size() - 1; i > 0; --i) {
      SourceFrame caller = call_of(calls[i], unit);
      caller.function = name_of(calls[i - 1]);
      place.callers.push_back(std::move(caller));
    }
    return true;
  });
  if (place.function.empty()) place.function = plain_name(image_.function_at(address));
  return place;
}

namespace {

std::string to_string(const SourceFrame& frame) {
  if (frame.file.empty()) return frame.function;
  return fmt::format("{} ({}:{})", frame.function, frame.file, frame.line);
}

}  // namespace

std::string to_string(const SourcePlace& place, std::uint64_t address) {
  if (place.function.empty()) return fmt::format("{:#x}", address);
  std::string text = to_string(static_cast<const SourceFrame&>(place));
  for (const SourceFrame& caller : place.callers) text += ", called in " + to_string(caller);
  return text;
}

}  // namespace d1::runtime
