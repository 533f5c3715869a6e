// SPDX-License-Identifier: BSD-3-Clause
//
// Statements on a session's own handle: SOCI would look for parameters in them, and run several in one string. Within a
// C++ task, on the engine's executor.

#pragma once

#include "sheaf/error.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace soci {
class session;
}

namespace sheaf::app {

class native_connection {
public:
  using row = std::vector<std::optional<std::string>>;

  virtual ~native_connection() = default;

  /// Runs one statement to its end. Throws `sheaf::error`.
  virtual void run(const std::string& sql, const row& values) = 0;

  /// What the database says of one statement without running it, or nothing. Its position is one in `sql`, in
  /// characters from 1. What was prepared does not stay.
  virtual std::optional<failure> refusal_of(const std::string& sql) = 0;

  /// What stands for parameter `n`, from 1.
  virtual std::string placeholder(std::size_t n) const = 0;
};

/// That of a session, for as long as it lives.
std::unique_ptr<native_connection> connection_of(soci::session& s);

} // namespace sheaf::app
