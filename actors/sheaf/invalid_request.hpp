// SPDX-License-Identifier: BSD-3-Clause

#pragma once

#include "sheaf/error.hpp"

#include <string>
#include <utility>

namespace sheaf {

/// The failure of input that is wrong, as the message says; nothing was sent to a database.
inline failure invalid_request(std::string message, std::string query = {}) {
  return {.code = errc::invalid_request, .query = std::move(query), .message = std::move(message)};
}

} // namespace sheaf
