// SPDX-License-Identifier: BSD-3-Clause

#include "app/commands/failure_line.hpp"

#include "app/base/standard_streams.hpp"
#include "app/base/terminal.hpp"
#include "app/show/failure_text.hpp"

#include <cstdio>

namespace sheaf::app {

void tell_failure(const failure& why, std::string_view sql) {
  const auto terminal = look_at(stderr);
  tell("{} {}\n{}{}", paint(terminal, style::bad, "sheaf:"), describe(why, sql),
       sql.empty() ? "" : show_position(why, sql, static_cast<std::size_t>(terminal.width)), show_details(why));
}

} // namespace sheaf::app
