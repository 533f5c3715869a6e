// SPDX-License-Identifier: BSD-3-Clause
//
// Someone who runs a scenario's steps: makes a request of a step, and says what came of its reply. Knows the variables
// and what was captured. One thread at a time.

#pragma once

#include "app/expression/expression.hpp"
#include "app/expression/generator.hpp"
#include "app/expression/operand.hpp"
#include "app/file/sheaf_file.hpp"
#include "app/scenario/checked_expectation.hpp"

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace sheaf::app {

class scenario_client {
public:
  /// `file` outlives the client.
  scenario_client(const sheaf_file& file, const variables& given, generator random);

  /// The request that a step asks. Ends the command (`command_error`) when a value cannot be made, or there is nothing
  /// to ask.
  request make(const request_step& how);

  /// Checks what a step expects of its reply, and captures what it names. A capture that fails is an expectation
  /// missed.
  std::vector<checked_expectation> judge(const request_step& how, const reply& got);

  /// Checks what is expected of the value at each path. `names` knows the paths and all else that expectations may
  /// name.
  std::vector<checked_expectation> judge(const std::vector<expectation_spec>& all, const scope& names);

private:
  result<std::optional<std::string>> fill(const template_text::hole& x);
  result<operand> look_up(std::string_view name) const;
  checked_expectation judge(const expectation_spec& expected, const scope& names);

  /// The text as an expression, read once: it belongs to the file.
  const result<expression>& read(const std::string& text, result<expression> (*parse)(std::string_view));

  const sheaf_file& file_;
  generator random_;
  std::map<std::string, operand, std::less<>> known_; ///< Variables and what was captured.
  std::unordered_map<const std::string*, result<expression>> read_;
};

} // namespace sheaf::app
