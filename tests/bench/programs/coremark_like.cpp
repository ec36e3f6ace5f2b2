// SPDX-License-Identifier: Apache-2.0
// Integer work in about the proportions of the usual suites for embedded cores: half of the time
// for linked lists, a fifth each for small matrices and a state machine, the rest for a CRC over
// all results. Of our own writing; its figures compare with nothing but itself.
#include "program.hpp"

namespace {

std::uint16_t crc;

// CRC-16 with the reflected polynomial 0xa001, bit by bit.
[[gnu::noinline]] void add_to_crc(std::uint16_t value) {
  std::uint32_t state = crc ^ value;
  for (int bit = 0; bit < 16; ++bit) {
    const bool low = state & 1;
    state >>= 1;
    if (low) state ^= 0xa001;
  }
  crc = static_cast<std::uint16_t>(state);
}

// --- Linked lists: search, reversal, sorting by either of two orders, removal ------------------

struct Item {
  Item* next;
  std::int16_t key, place;
};

constexpr std::size_t kItems = 100;
Item items[kItems];

Item* build_list() {
  std::uint32_t seed = 77;
  for (std::size_t i = 0; i < kItems; ++i) {
    seed = seed * 1664525u + 1013904223u;
    items[i] = {i + 1 < kItems ? &items[i + 1] : nullptr, static_cast<std::int16_t>(seed >> 20),
                static_cast<std::int16_t>(i)};
  }
  return items;
}

Item* reverse(Item* list) {
  Item* reversed = nullptr;
  while (list) {
    Item* const next = list->next;
    list->next = reversed;
    reversed = list;
    list = next;
  }
  return reversed;
}

const Item* find(const Item* list, std::int16_t key) {
  while (list && list->key != key) list = list->next;
  return list;
}

using Order = bool (*)(const Item& left, const Item& right);
bool by_key(const Item& left, const Item& right) { return left.key < right.key; }
bool by_place(const Item& left, const Item& right) { return left.place < right.place; }

Item* merge(Item* left, Item* right, Order before) {
  Item* merged = nullptr;
  Item** end = &merged;
  while (left && right) {
    Item*& smaller = before(*right, *left) ? right : left;
    *end = smaller;
    end = &smaller->next;
    smaller = smaller->next;
  }
  *end = left ? left : right;
  return merged;
}

Item* sort(Item* list, Order before) {
  if (!list || !list->next) return list;
  Item* middle = list;
  for (const Item* end = list->next; end && end->next; end = end->next->next) middle = middle->next;
  Item* const right = middle->next;
  middle->next = nullptr;
  return merge(sort(list, before), sort(right, before), before);
}

// Takes every `stride`-th item out of the list and puts it in front.
Item* move_to_front(Item* list, int stride) {
  int count = 0;
  for (Item* item = list; item && item->next; item = item->next) {
    if (++count % stride != 0) continue;
    Item* const taken = item->next;
    item->next = taken->next;
    taken->next = list;
    list = taken;
  }
  return list;
}

void work_on_lists() {
  Item* list = build_list();
  for (std::size_t i = 0; i < kItems; i += 3) {
    const Item* const found =
        find(list, static_cast<std::int16_t>(items[i].key ^ static_cast<int>(i & 2)));
    add_to_crc(static_cast<std::uint16_t>(found ? found->place : -1));
    list = reverse(list);
  }
  list = sort(list, by_key);
  for (const Item* item = list; item; item = item->next)
    add_to_crc(static_cast<std::uint16_t>(item->key));
  list = sort(move_to_front(list, 3), by_place);
  add_to_crc(static_cast<std::uint16_t>(list->key));
}

// --- Small matrices of 16-bit integers ---------------------------------------------------------

constexpr std::size_t kSize = 10;
std::int16_t left[kSize][kSize], right[kSize][kSize];
std::int32_t product[kSize][kSize], vector_product[kSize];

void fill_matrices() {
  std::uint32_t seed = 5;
  for (std::size_t i = 0; i < kSize * kSize; ++i) {
    seed = seed * 1664525u + 1013904223u;
    left[i / kSize][i % kSize] = static_cast<std::int16_t>(seed >> 24);
    right[i / kSize][i % kSize] = static_cast<std::int16_t>(seed >> 21 & 0xff);
  }
}

void multiply_by_constant(std::int32_t factor) {
  for (std::size_t i = 0; i < kSize; ++i) {
    for (std::size_t j = 0; j < kSize; ++j) product[i][j] = left[i][j] * factor;
  }
}

void multiply_by_vector() {
  for (std::size_t i = 0; i < kSize; ++i) {
    vector_product[i] = 0;
    for (std::size_t j = 0; j < kSize; ++j) vector_product[i] += left[i][j] * right[0][j];
  }
}

template <typename Combine>
[[gnu::noinline]] void multiply_by_matrix(Combine combine) {
  for (std::size_t i = 0; i < kSize; ++i) {
    for (std::size_t j = 0; j < kSize; ++j) {
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < kSize; ++k) sum += combine(left[i][k] * right[k][j]);
      product[i][j] = sum;
    }
  }
}

// Adds up, with a decision at each element.
[[gnu::noinline]] std::uint16_t weigh_product() {
  std::int32_t sum = 0, last = 0;
  std::uint16_t weight = 0;
  for (std::size_t i = 0; i < kSize; ++i) {
    for (std::size_t j = 0; j < kSize; ++j) {
      const std::int32_t value = product[i][j];
      sum += value;
      if (sum > 20'000) {
        weight = static_cast<std::uint16_t>(weight + 10);
        sum = 0;
      } else if (value > last) {
        ++weight;
      }
      last = value;
    }
  }
  return weight;
}

void work_on_matrices() {
  fill_matrices();
  for (std::int16_t round = 1; round <= 4; ++round) {
    multiply_by_constant(round);
    add_to_crc(weigh_product());
    multiply_by_vector();
    add_to_crc(static_cast<std::uint16_t>(vector_product[round]));
    multiply_by_matrix([](std::int32_t value) { return value; });
    add_to_crc(weigh_product());
    multiply_by_matrix([](std::int32_t value) { return (value >> 2 & 15) * (value >> 5 & 127); });
    add_to_crc(weigh_product());
    for (auto& row : left) {
      for (std::int16_t& value : row) value = static_cast<std::int16_t>(value + round);
    }
  }
}

// --- A state machine that tells the kinds of numbers in a text apart ---------------------------

constexpr char kText[] =
    "5012,1234,-874,+122,7.5,-110.700,+0.64400,.5,7e3,6.5e+4,-1.8E-2,+.6e9,T0.3e-1F,-T.T++Tq,1T3."
    "4e4z,"
    "34.0e-T^,-4..7,1e,19,8.33e2,-,0x7f,42,+-3,600.,12e+,e5,.0e0,77777,-8.8e8,x,31415926,2.71828,";

enum class State : std::uint8_t {
  Start,
  Sign,
  Integer,
  Point,
  Fraction,
  Letter,
  Power,
  Exponent,
  Invalid
};
constexpr std::size_t kStates = 9;

char text[sizeof kText];
std::uint32_t ends[kStates], entries[kStates];

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

State after(State state, char c) {
  switch (state) {
    case State::Start:
      if (is_digit(c)) return State::Integer;
      if (c == '+' || c == '-') return State::Sign;
      return c == '.' ? State::Point : State::Invalid;
    case State::Sign:
      if (is_digit(c)) return State::Integer;
      return c == '.' ? State::Point : State::Invalid;
    case State::Integer:
      if (is_digit(c)) return State::Integer;
      if (c == '.') return State::Fraction;
      return c == 'e' || c == 'E' ? State::Letter : State::Invalid;
    case State::Point:
      return is_digit(c) ? State::Fraction : State::Invalid;
    case State::Fraction:
      if (is_digit(c)) return State::Fraction;
      return c == 'e' || c == 'E' ? State::Letter : State::Invalid;
    case State::Letter:
      if (is_digit(c)) return State::Exponent;
      return c == '+' || c == '-' ? State::Power : State::Invalid;
    case State::Power:
    case State::Exponent:
      return is_digit(c) ? State::Exponent : State::Invalid;
    case State::Invalid:
      break;
  }
  return State::Invalid;
}

void scan_text() {
  State state = State::Start;
  for (const char* at = text; *at; ++at) {
    if (*at == ',') {
      ++ends[static_cast<std::size_t>(state)];
      state = State::Start;
      continue;
    }
    const State next = after(state, *at);
    if (next != state) ++entries[static_cast<std::size_t>(next)];
    state = next;
  }
}

// Spoils, or restores, every so many characters.
[[gnu::noinline]] void disturb_text(std::size_t first, std::size_t stride) {
  for (std::size_t i = first; i + 1 < sizeof text; i += stride) {
    if (text[i] != ',') text[i] = static_cast<char>(text[i] ^ 1);
  }
}

void work_on_text() {
  for (std::size_t i = 0; i < kStates; ++i) ends[i] = entries[i] = 0;
  for (std::size_t i = 0; i < sizeof text; ++i) text[i] = kText[i];
  for (std::size_t round = 1; round <= 7; ++round) {
    scan_text();
    disturb_text(round, 7);
    scan_text();
    disturb_text(round, 7);
  }
  for (std::size_t i = 0; i < kStates; ++i) {
    add_to_crc(static_cast<std::uint16_t>(ends[i]));
    add_to_crc(static_cast<std::uint16_t>(entries[i]));
  }
}

void prepare() {}

void iterate() {
  crc = 0xffff;
  work_on_lists();
  work_on_matrices();
  work_on_text();
  d1::bench::touch(items);
  d1::bench::touch(left);
  d1::bench::touch(text);
}

std::uint64_t result() { return crc; }

}  // namespace

D1_BENCH_PROGRAM(prepare, iterate, result)
