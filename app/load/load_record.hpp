// SPDX-License-Identifier: BSD-3-Clause
//
// The record of a load: the times of requests and their queries, and the failures. One thread at a time; one for each
// event loop, merged in the end.

#pragma once

#include "app/base/histogram.hpp"
#include "app/file/sheaf_file.hpp"
#include "app/scenario/checked_expectation.hpp"

#include <map>
#include <optional>
#include <vector>

namespace sheaf::app {

/// True for the failures of what took too long: a timeout, or a cancel. Their callers have waited, so their times,
/// until they were given up, belong to those of the answers. All other failures stand apart: a database that refuses
/// everything at once is not a fast one.
bool is_out_of_time(errc code) noexcept;

/// The record of one query of one request.
struct query_record {
  histogram total;           ///< Time from asking for a session to the answer, or to being given up as out of time.
  histogram waiting;         ///< The wait for a session; of the same queries.
  histogram executing;       ///< Time from having a session to the answer; of those that got one.
  histogram failed;          ///< The time of those that failed otherwise, or were ended because their request had.
  std::uint64_t errors = 0;  ///< Failures of both kinds.
  std::uint64_t in_time = 0; ///< Those in `total` of requests that were answered in time.
};

/// The record of one request.
struct request_record {
  /// Time from when it was sent, or, for the first one of an iteration under a rate, was due, to the answer, or to
  /// being given up as out of time.
  histogram latency;
  histogram failed;                    ///< The time of those that failed otherwise.
  std::uint64_t errors = 0;            ///< Failures of both kinds.
  std::uint64_t in_time = 0;           ///< Those in `latency` that came before the measurement was over.
  std::chrono::nanoseconds work{0};    ///< Serial sums of those in `latency`.
  std::chrono::nanoseconds elapsed{0}; ///< The time that the same requests ran.
  std::vector<query_record> queries;   ///< Records in the file's order.

  std::uint64_t count() const noexcept { return latency.count() + failed.count(); }
};

struct load_record {
  explicit load_record(const sheaf_file& file);

  /// Counts an answer to the request at `position` in the file. `from` are the `origins` of its queries.
  void add(std::size_t position, const std::vector<std::size_t>& from, const reply& got,
           std::chrono::nanoseconds latency, bool in_time);
  void add(const std::vector<checked_expectation>& checked);
  void merge(const load_record& other);

  histogram latency() const; ///< The latency of all requests.
  histogram failed() const;  ///< The time of all that failed without being out of time.

  std::uint64_t count() const noexcept; ///< Requests.
  std::uint64_t in_time() const noexcept;
  std::uint64_t errors() const noexcept;
  double overlap() const noexcept; ///< The queries of a request that ran at once, on average; 0 without any.

  std::vector<request_record> requests;        ///< Records in the file's order.
  std::map<errc, std::uint64_t> codes;         ///< The number of requests that failed.
  std::optional<failure> first_failure;        ///< The failure of one of the first requests that failed.
  std::uint64_t checked = 0, missed = 0;       ///< Expectations.
  std::uint64_t not_begun = 0;                 ///< Iterations that were due while all clients were busy, up to the end.
  std::map<std::string, std::uint64_t> misses; ///< The number for each expectation that was missed.
};

} // namespace sheaf::app
