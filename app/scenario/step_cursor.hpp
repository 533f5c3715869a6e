// SPDX-License-Identifier: BSD-3-Clause
//
// The place in a scenario's steps of someone who runs them. One thread at a time.

#pragma once

#include "app/file/sheaf_file.hpp"

#include <vector>

namespace sheaf::app {

class step_cursor {
public:
  /// `steps` outlive the cursor.
  explicit step_cursor(const std::vector<step_spec>& steps) { places_.push_back({&steps, 0, 1}); }

  /// The next step: those that `repeat` holds come again and again in its place. Null behind the last.
  const step_spec* next();

private:
  struct place {
    const std::vector<step_spec>* steps;
    std::size_t at;
    std::size_t times_left; ///< The times left with this one.
  };

  std::vector<place> places_; ///< A repeat within a repeat behind it.
};

} // namespace sheaf::app
