// SPDX-License-Identifier: BSD-3-Clause
//
// The program's words beside its output: messages and progress, on stderr, whatever that is. Any thread, but for
// `occupy_standard_descriptors`.

#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace sheaf::app {

/// Call first. A descriptor of standard input, output or error that the program was started without would otherwise be
/// the next file or connection that is opened, and messages would go there. Each becomes one on which every read or
/// write fails, as if it were still closed.
void occupy_standard_descriptors();

/// Writes to stderr as far as that can be written: a message that finds no reader changes neither what a command does
/// nor its exit code. Never throws for that, as fmt::print would.
void tell_text(std::string_view text);

template <class... Values>
void tell(fmt::format_string<Values...> format, Values&&... values) {
  tell_text(fmt::format(format, std::forward<Values>(values)...));
}

} // namespace sheaf::app
