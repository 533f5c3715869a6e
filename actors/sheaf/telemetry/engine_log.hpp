// SPDX-License-Identifier: BSD-3-Clause
//
// The engine's log: one event a line, in the words of logfmt (`event=session_lost pool=main session=4711`), through the
// logger that `options::logger` names. No parameter's value and no part of a connection string gets here. Any thread.

#pragma once

#include "sheaf/error.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace sheaf {

enum class severity : std::uint8_t { debug, info, warning };

class engine_log {
public:
  /// Null: nothing is written.
  explicit engine_log(std::shared_ptr<spdlog::logger> to) noexcept : to_(std::move(to)) {}

  /// True when a line of this severity is written. Ask before making it.
  bool takes(severity x) const noexcept;

  /// A line in the making. Written when it goes.
  class line {
  public:
    line(const engine_log& log, severity how, std::string_view event);
    line(const line&) = delete;
    line& operator=(const line&) = delete;
    ~line();

    line& with(std::string_view key, std::string_view value); ///< Quoted if it holds blanks, quotes or an equals sign.
    line& with(std::string_view key, std::uint64_t value);
    line& with(std::string_view key, std::chrono::nanoseconds value); ///< In milliseconds, as `1.234`.
    line& with(const failure& why); ///< Query, phase, code, SQLSTATE, message, and what the server says beside.
    line& with(const notice& said); ///< Severity, SQLSTATE, message, detail, hint, context.

  private:
    line& with_if_any(std::string_view key, std::string_view value);

    const engine_log& log_;
    const severity how_;
    std::string text_;
  };

private:
  std::shared_ptr<spdlog::logger> to_;
};

} // namespace sheaf
