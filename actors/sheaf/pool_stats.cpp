// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/pool_stats.hpp"

namespace sheaf {

pool_stats& pool_stats::operator+=(const pool_stats& x) noexcept {
  max_size += x.max_size;
  total += x.total;
  idle += x.idle;
  active += x.active;
  connecting += x.connecting;
  cancelling += x.cancelling;
  waiting += x.waiting;
  opened += x.opened;
  open_failures += x.open_failures;
  lost += x.lost;
  timeouts += x.timeouts;
  cancels += x.cancels;
  checks += x.checks;
  leaks += x.leaks;
  retries += x.retries;
  retries_refused += x.retries_refused;
  packs += x.packs;
  packed += x.packed;
  unpacked += x.unpacked;
  return *this;
}

} // namespace sheaf
