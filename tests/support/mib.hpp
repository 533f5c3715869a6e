// SPDX-License-Identifier: BSD-3-Clause

#pragma once

#include <cstddef>

namespace sheaf::test {

constexpr std::size_t mib = 1 << 20;

} // namespace sheaf::test
