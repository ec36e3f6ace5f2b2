// SPDX-License-Identifier: Apache-2.0
#include <d1/hil/recording.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "rig/replayer.hpp"

namespace d1::hil {
namespace {

using Json = nlohmann::ordered_json;

// Whether all bytes that the line speaks of are there.
bool is_whole(const Json& line, std::size_t payload) {
  const auto there = [payload](const Json& about) {
    return about.contains("at") && about["at"].get<std::uint64_t>() <= payload &&
           about["bytes"].get<std::uint64_t>() <= payload - about["at"].get<std::uint64_t>();
  };
  if (line["kind"] == "poke") return there(line);
  if (line["kind"] != "command") return true;
  for (const Json& about : line["data"])
    if (!there(about)) return false;
  return true;
}

}  // namespace

Result<Recording> Recording::load(const std::string& path) {
  Recording recording;
  recording.path_ = path;
  std::ifstream file(path);
  for (std::string text; std::getline(file, text);) {
    if (file.eof()) break;  // no whole line: whoever writes it is at it, or died
    recording.lines_.push_back(std::move(text));
  }
  // Behind the lines: a record that still grows has the bytes that they speak of.
  std::ifstream data(path + ".data", std::ios::binary);
  if (!file.is_open() || !data || !std::filesystem::is_regular_file(path))
    return fail(ErrorKind::Invalid,
                fmt::format("The record '{}' cannot be read, or '{}.data' beside it.", path, path));
  recording.payload_.assign(std::istreambuf_iterator<char>(data), {});
  for (std::size_t i = 0; i < recording.lines_.size(); ++i) {
    const Json line = Json::parse(recording.lines_[i], nullptr, false);
    try {
      if (line.is_discarded() || !line.at("kind").is_string())
        return fail(ErrorKind::Invalid,
                    fmt::format("{}:{}: This is no line of a record of traffic.", path, i + 1));
      if (!is_whole(line, recording.payload_.size()))
        return fail(ErrorKind::Invalid,
                    fmt::format("{}:{}: The bytes of this line are not in the record, which keeps "
                                "so many as RigOptions::record_bytes says. Record less at a time, "
                                "or raise it.",
                                path, i + 1));
      if (line["kind"] == "cut")
        return fail(ErrorKind::Invalid,
                    fmt::format("{}:{}: The record was cut here, at {} bytes, its limit. Record "
                                "less at a time, or raise RigOptions::record_bytes.",
                                path, i + 1, line.at("limit").get<std::uint64_t>()));
    } catch (const Json::exception& problem) {
      return fail(ErrorKind::Invalid, fmt::format("{}:{}: {}", path, i + 1, problem.what()));
    }
  }
  return recording;
}

Result<Replay> Recording::replay(const std::string& target,
                                 const driver::TransportOptions& options,
                                 std::chrono::milliseconds timeout) const {
  auto transport = driver::open_transport(target, options);
  if (!transport) return std::unexpected(std::move(transport.error()));
  Replayer replayer(**transport, payload_, driver::after(timeout));
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    try {
      const Json line = Json::parse(lines_[i]);
      if (const std::string did = Replayer::beyond(line); !did.empty()) {
        replayer.result().cut_short =
            fmt::format("{}:{}: The rig did '{}' here, which a transport cannot do again; what "
                        "follows was not played.",
                        path_, i + 1, did);
        break;
      }
      if (auto done = replayer.play(line); !done)
        return pass_on(done, fmt::format("playing {}:{}", path_, i + 1));
    } catch (const Json::exception& problem) {
      return fail(ErrorKind::Invalid, fmt::format("{}:{}: {}", path_, i + 1, problem.what()));
    }
  }
  return std::move(replayer.result());
}

}  // namespace d1::hil
