// SPDX-License-Identifier: BSD-3-Clause
//
// Looks at a stream's terminal: termios for the width, the environment for colour, the locale for UTF-8. Main thread.

#include "app/base/terminal.hpp"

#include <clocale>
#include <cstdlib>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace sheaf::app {

namespace {

bool locale_is_utf8 = false;

bool colour_wanted() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && term != nullptr && std::string_view{term} != "dumb";
}

std::string_view code_of(style how) {
  switch (how) {
  case style::bold:
    return "\033[1m";
  case style::dim:
    return "\033[2m";
  case style::good:
    return "\033[32m";
  case style::bad:
    return "\033[31m";
  case style::waiting:
    return "\033[33m";
  case style::plain:
    break;
  }
  return "";
}

} // namespace

void use_environment_locale() {
  std::setlocale(LC_CTYPE, "");
  locale_is_utf8 = std::string_view{nl_langinfo(CODESET)} == "UTF-8";
  // Data is UTF-8 whatever the terminal shows, and wcwidth() knows the widths of characters only in a UTF-8 locale.
  if (!locale_is_utf8)
    std::setlocale(LC_CTYPE, "C.UTF-8");
}

terminal look_at(std::FILE* stream) {
  terminal seen;
  seen.utf8 = locale_is_utf8;
  const int fd = fileno(stream);
  if (isatty(fd) == 0)
    return seen;
  seen.interactive = true;
  seen.colour = colour_wanted();
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    seen.width = size.ws_col;
  return seen;
}

std::string paint(const terminal& where, style how, std::string_view text) {
  if (!where.colour || how == style::plain || text.empty())
    return std::string{text};
  return std::string{code_of(how)}.append(text).append("\033[0m");
}

} // namespace sheaf::app
