// SPDX-License-Identifier: BSD-3-Clause
//
// The ends of a command: the program's exit codes, and the exception that ends a command early. Main thread only.

#pragma once

#include "sheaf/error.hpp"

#include <stdexcept>
#include <string>

namespace sheaf::app {

constexpr int exit_all_held = 0;
constexpr int exit_bad_input = 1; ///< Usage, a file, a parameter, a limit: nothing was sent to a database.
constexpr int exit_run_time_failure = 2;
constexpr int exit_missed = 99;     ///< An expectation was missed, as k6 has it.
constexpr int exit_signalled = 128; ///< Plus the signal's number, as shells do.

/// The exit codes, for people.
inline constexpr const char* exit_codes =
    "Exit codes:\n"
    "  0 all went well; 1 bad input (usage, a file, a parameter); 2 a failure at run time;\n"
    "  99 an expectation was missed; 130 interrupted\n";

/// Ends the command with a line on stderr. Caught in `main` only.
class command_error : public std::runtime_error {
public:
  command_error(int exit_code, const std::string& message) : std::runtime_error(message), exit_code_(exit_code) {}

  int exit_code() const noexcept { return exit_code_; }

private:
  int exit_code_;
};

/// The exit code for a failure that ends a command.
inline int exit_code_of(const failure& why) noexcept {
  return why.code == errc::invalid_request ? exit_bad_input : exit_run_time_failure;
}

[[noreturn]] inline void bad_input(const std::string& message) { throw command_error{exit_bad_input, message}; }

/// The value, or the end of the command with the failure's message after `context` (`"--deadline: "`).
template <class T>
T value_or_throw(result<T> x, const std::string& context = {}) {
  if (!x)
    throw command_error{exit_code_of(x.error()), context + x.error().message};
  return std::move(*x);
}

} // namespace sheaf::app
