// SPDX-License-Identifier: BSD-3-Clause

#include "app/scenario/step_cursor.hpp"

namespace sheaf::app {

const step_spec* step_cursor::next() {
  while (!places_.empty()) {
    auto& now = places_.back();
    if (now.at == now.steps->size()) {
      now.at = 0;
      if (--now.times_left == 0)
        places_.pop_back();
      continue;
    }
    const auto& step = (*now.steps)[now.at++];
    const auto* again = std::get_if<repeat_step>(&step.kind);
    if (!again)
      return &step;
    places_.push_back({&again->steps, 0, again->times});
  }
  return nullptr;
}

} // namespace sheaf::app
