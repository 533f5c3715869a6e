// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/core/messages.hpp"

#include "sheaf/base/error_text.hpp"

namespace sheaf {

early_end early_end_for(const std::exception_ptr& thrown) {
  return {errc::internal, "the engine failed within itself: " + type_of_thrown(thrown)};
}

} // namespace sheaf
