// SPDX-License-Identifier: BSD-3-Clause

#include "app/scenario/row_line.hpp"

#include "app/base/standard_streams.hpp"
#include "app/base/text.hpp"

#include <algorithm>

namespace sheaf::app {

void row_line::show(std::string_view file, std::size_t rows) {
  if (!where_.interactive)
    return;
  const std::lock_guard lock{mutex_};
  const auto now = clock::now();
  if (ended_ || now < next_)
    return;
  next_ = now + every;
  shown_ = true;
  const auto width = static_cast<std::size_t>(std::max(where_.width - 1, 0));
  tell("\r{}\x1b[K", shortened(fmt::format("{} rows of {}", rows, one_line(file)), width, where_.utf8));
}

void row_line::end() {
  const std::lock_guard lock{mutex_};
  ended_ = true;
  if (shown_)
    tell("\r\x1b[K");
}

} // namespace sheaf::app
