// SPDX-License-Identifier: BSD-3-Clause
//
// SQLite, as a kind of database. Any thread.

#pragma once

#include "sheaf/backend.hpp"

namespace sheaf {

const backend& sqlite_backend() noexcept;

} // namespace sheaf
