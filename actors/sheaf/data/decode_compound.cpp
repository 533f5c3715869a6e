// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/data/decode_compound.hpp"

#include "sheaf/data/postgresql_types.hpp"

namespace sheaf {

decoding check_array(const cell& c, bool as_strings) noexcept {
  if (c.encoding == encoding::null)
    return decoding::null;
  const bool is_array = postgresql::element_of(c.oid) != 0;
  const bool may_be_array = c.oid != 0 && !postgresql::is_built_in(c.oid);
  return c.encoding == encoding::text && (is_array || (may_be_array && as_strings)) ? decoding::ok
                                                                                    : decoding::wrong_type;
}

} // namespace sheaf
