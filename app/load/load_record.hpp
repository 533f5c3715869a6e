// SPDX-License-Identifier: BSD-3-Clause
//
// The record of a load: the times of requests and their queries, and the failures. One thread at a time; one for each
// event loop, merged in the end.

#pragma once

#include "app/base/histogram.hpp"
#include "app/file/sheaf_file.hpp"
#include "app/scenario/scenario_client.hpp"

#include <map>
#include <vector>

namespace sheaf::app {

/// The record of one query of one request. Failed ones count too: their caller has waited for them.
struct query_record {
  histogram total;     ///< Time from asking for a session to the answer.
  histogram waiting;   ///< The wait for a session.
  histogram executing; ///< Time from having a session to the answer; of those that got one.
  std::uint64_t errors = 0;
  std::uint64_t in_time = 0; ///< Those of requests that were answered in time.
};

/// The record of one request.
struct request_record {
  histogram latency; ///< Time from when it was sent, or, for the first one of an iteration under a rate, was due.
  std::uint64_t errors = 0;
  std::uint64_t in_time = 0;           ///< Answers that came before the measurement was over.
  std::chrono::nanoseconds work{0};    ///< Serial sums.
  std::chrono::nanoseconds elapsed{0}; ///< The same requests' times.
  std::vector<query_record> queries;   ///< Records in the file's order.
};

struct load_record {
  explicit load_record(const sheaf_file& file);

  /// Counts an answer to the request at `position` in the file. `from` are the `origins` of its queries.
  void add(std::size_t position, const std::vector<std::size_t>& from, const reply& got,
           std::chrono::nanoseconds latency, bool in_time);
  void add(const std::vector<checked_expectation>& checked);
  void merge(const load_record& other);

  histogram latency() const;            ///< The latency of all requests.
  std::uint64_t count() const noexcept; ///< Requests.
  std::uint64_t in_time() const noexcept;
  std::uint64_t errors() const noexcept;
  double speed_up() const noexcept; ///< The work of all queries over the time that requests took; 0 without any.

  std::vector<request_record> requests;        ///< Records in the file's order.
  std::map<errc, std::uint64_t> codes;         ///< The number of requests that failed.
  std::uint64_t checked = 0, missed = 0;       ///< Expectations.
  std::uint64_t not_begun = 0;                 ///< Iterations that were due while all clients were busy, up to the end.
  std::map<std::string, std::uint64_t> misses; ///< The number for each expectation that was missed.
};

} // namespace sheaf::app
