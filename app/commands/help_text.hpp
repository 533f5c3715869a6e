// SPDX-License-Identifier: BSD-3-Clause
//
// Short texts about what no command's help has the room for, made from the lists that the reader goes by. Any thread.

#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sheaf::app {

struct help_topic {
  std::string_view name, about; ///< About: one line.
  std::string (*text)();
};

std::span<const help_topic> help_topics() noexcept;

} // namespace sheaf::app
