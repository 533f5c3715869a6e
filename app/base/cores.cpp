// SPDX-License-Identifier: BSD-3-Clause

#include "app/base/cores.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <thread>

namespace sheaf::app {

std::string limit_of_cores(std::size_t queries, double speed_up) {
  const std::size_t cores = std::max(std::thread::hardware_concurrency(), 1u);
  const auto most = static_cast<double>(queries) / static_cast<double>(cores);
  if (queries <= cores || speed_up > most)
    return {};
  return fmt::format("; {} core{} here: {} CPU-bound queries cannot be more than {:.3g} times as fast", cores,
                     cores == 1 ? "" : "s", queries, most);
}

} // namespace sheaf::app
