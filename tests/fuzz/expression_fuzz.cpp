// SPDX-License-Identifier: BSD-3-Clause
//
// Any bytes as an expression: reading and evaluating it ends with a value or a failure that has a place in the text.

#include "app/expression/expression.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace sheaf;
using namespace sheaf::app;

/// A value of each kind, by the name's length.
result<operand> some_value(std::string_view path) {
  switch (path.size() % 7) {
  case 0:
    return operand{};
  case 1:
    return operand{std::int64_t{42}};
  case 2:
    return operand{std::string{"9007199254740993"}};
  case 3:
    return operand{0.5};
  case 4:
    return operand{std::chrono::nanoseconds{1'300'000'000}};
  case 5:
    return operand{true};
  default:
    return failure{.code = errc::invalid_request, .message = "no such name"};
  }
}

void require(bool held) {
  if (!held)
    std::abort();
}

void check(const failure& why, std::string_view text) {
  require(why.code == errc::invalid_request);
  require(!why.message.empty() && why.message.find('\n') == std::string::npos);
  require(why.position >= 1 && why.position <= text.size() + 1);
}

void check(const result<expression>& parsed, std::string_view text, bool expectation) {
  if (!parsed)
    return check(parsed.error(), text);
  for (const auto& name : parsed->names())
    require(!name.path.empty() && name.position >= 1 && name.position <= text.size() + 1);
  generator random{1}, same{1};
  const auto value = parsed->evaluate(some_value, &random);
  const auto again = parsed->evaluate(some_value, &same);
  require(value.has_value() == again.has_value());
  if (!value)
    return check(value.error(), text);
  require(show(*value) == show(*again));
  require(!expectation || std::holds_alternative<bool>(*value));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  check(expression::parse(text), text, false);
  check(expression::parse_expectation(text), text, true);
  return 0;
}
