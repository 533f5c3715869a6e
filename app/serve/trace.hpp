// SPDX-License-Identifier: BSD-3-Clause
//
// The names of a request across services: W3C trace context, and the request's id. Any thread.

#pragma once

#include <string>
#include <string_view>

namespace sheaf::app::serve {

/// https://www.w3.org/TR/trace-context/: the caller's trace with a span of our own, or a new trace.
struct trace {
  std::string id;   ///< 32 hexadecimal digits.
  std::string span; ///< 16, ours.
  std::string flags = "00";

  std::string header() const; ///< `00-id-span-flags`.
};

/// Goes on with the trace that `traceparent` names, or begins one when that is absent or not valid.
trace continue_trace(std::string_view traceparent);

/// `given` when it is 1 to 128 printable ASCII characters without blanks, quotes and backslashes; else a new one.
std::string request_id(std::string_view given);

} // namespace sheaf::app::serve
