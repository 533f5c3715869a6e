// SPDX-License-Identifier: BSD-3-Clause
//
// The bounds of the HTTP service: bytes, connections, requests at once, time. Plain data.

#pragma once

#include <chrono>
#include <cstddef>

namespace sheaf::app::serve {

struct service_limits {
  std::size_t header_bytes_max = 8 << 10;      ///< Bytes of a request's first line and fields.
  std::size_t body_bytes_max = 1 << 20;        ///< Bytes of a request's body.
  std::size_t response_bytes_max = 64 << 20;   ///< Bytes of the values in one answer.
  std::size_t connections_max = 20'000;        ///< Connections of all loops together.
  std::size_t connections_per_address_max = 0; ///< Connections from one address; 0 for no bound but `connections_max`.
  std::size_t unread_bytes_max = 256 << 20;    ///< Bytes of values in all answers that clients have begun to read.
  std::size_t in_flight_max = 1'000;           ///< Requests that the engine works on.
  std::size_t streams_max = 0;            ///< Streamed results of each database; 0 for half of its pool's sessions.
  std::size_t stream_rate_min = 16 << 10; ///< Bytes a second, on average, that the client of a stream has to take.

  // Each is of a whole, however many pieces it comes in.
  std::chrono::nanoseconds header_timeout = std::chrono::seconds{10}; ///< Time from its first byte to its last.
  std::chrono::nanoseconds body_timeout = std::chrono::seconds{30};
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds{75};  ///< Time between two requests.
  std::chrono::nanoseconds write_timeout = std::chrono::seconds{30}; ///< Time for each 64 KiB of an answer.
};

} // namespace sheaf::app::serve
