// SPDX-License-Identifier: BSD-3-Clause
//
// Short texts on topics that no command's help has room for, made from the lists that the reader goes by. Any thread.

#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sheaf::app {

struct help_topic {
  std::string_view name, about; ///< `about` is one line.
  std::string (*text)();
};

std::span<const help_topic> help_topics() noexcept;

} // namespace sheaf::app
