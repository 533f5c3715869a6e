// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/data/table_storage.hpp"

#include "sheaf/data/counted_bytes.hpp"

#include <cassert>
#include <cstring>

namespace sheaf {

void intrusive_ptr_add_ref(const table_storage* x) noexcept { x->references.fetch_add(1, std::memory_order_relaxed); }

void intrusive_ptr_release(const table_storage* x) noexcept {
  if (x->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
    delete x;
}

void built_rows::add(const cell& x) {
  assert(column_count != 0);
  built_cell to{.place = arena_.size(), .encoding = static_cast<std::uint64_t>(x.encoding), .size = x.size};
  if (x.encoding == encoding::integer || x.encoding == encoding::real) {
    assert(x.size == sizeof to.place);
    std::memcpy(&to.place, x.data, sizeof to.place);
  } else if (x.size != 0) {
    arena_.append(x.data, x.size);
  }
  cells_.push_back(to);
  bytes += counted_bytes(x);
  if (cells_.size() == (rows + 1) * column_count)
    ++rows;
}

} // namespace sheaf
