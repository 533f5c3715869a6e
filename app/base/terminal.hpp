// SPDX-License-Identifier: BSD-3-Clause
//
// The abilities of a stream: colour, width, block characters. Asked once per stream, on the main thread.

#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace sheaf::app {

struct terminal {
  bool interactive = false; ///< A terminal, not a file or a pipe.
  bool colour = false;      ///< Only on a terminal, and not under NO_COLOR or TERM=dumb.
  bool utf8 = false;        ///< The locale's encoding.
  int width = 80;           ///< Columns; 80 when it is not a terminal.
};

/// Takes the locale from the environment. Call first, before any thread starts.
void use_environment_locale();

terminal look_at(std::FILE* stream);

enum class style { plain, bold, dim, good, bad, waiting };

/// `text` in a style, or as it is where there is no colour.
std::string paint(const terminal& where, style how, std::string_view text);

} // namespace sheaf::app
