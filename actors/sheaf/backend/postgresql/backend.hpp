// SPDX-License-Identifier: BSD-3-Clause
//
// PostgreSQL, as a kind of database. Any thread.

#pragma once

#include "sheaf/backend.hpp"

namespace sheaf {

const backend& postgresql_backend() noexcept;

} // namespace sheaf
