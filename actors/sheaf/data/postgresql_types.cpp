// SPDX-License-Identifier: BSD-3-Clause
//
// The built-in types, as `select oid, typarray, typname from pg_type where oid < 10000` lists them (PostgreSQL 15).

#include "sheaf/data/postgresql_types.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace sheaf::postgresql {

namespace {

struct built_in {
  std::uint32_t oid;
  std::uint32_t array; ///< 0 when there is none.
  std::string_view name;
};

// Ordered by `oid`.
constexpr built_in built_ins[] = {
    {16, 1000, "bool"},
    {17, 1001, "bytea"},
    {18, 1002, "\"char\""},
    {19, 1003, "name"},
    {20, 1016, "int8"},
    {21, 1005, "int2"},
    {22, 1006, "int2vector"},
    {23, 1007, "int4"},
    {24, 1008, "regproc"},
    {25, 1009, "text"},
    {26, 1028, "oid"},
    {27, 1010, "tid"},
    {28, 1011, "xid"},
    {29, 1012, "cid"},
    {30, 1013, "oidvector"},
    {32, 0, "pg_ddl_command"},
    {114, 199, "json"},
    {142, 143, "xml"},
    {194, 0, "pg_node_tree"},
    {269, 0, "table_am_handler"},
    {325, 0, "index_am_handler"},
    {600, 1017, "point"},
    {601, 1018, "lseg"},
    {602, 1019, "path"},
    {603, 1020, "box"},
    {604, 1027, "polygon"},
    {628, 629, "line"},
    {650, 651, "cidr"},
    {700, 1021, "float4"},
    {701, 1022, "float8"},
    {705, 0, "unknown"},
    {718, 719, "circle"},
    {774, 775, "macaddr8"},
    {790, 791, "money"},
    {829, 1040, "macaddr"},
    {869, 1041, "inet"},
    {1033, 1034, "aclitem"},
    {1042, 1014, "bpchar"},
    {1043, 1015, "varchar"},
    {1082, 1182, "date"},
    {1083, 1183, "time"},
    {1114, 1115, "timestamp"},
    {1184, 1185, "timestamptz"},
    {1186, 1187, "interval"},
    {1266, 1270, "timetz"},
    {1560, 1561, "bit"},
    {1562, 1563, "varbit"},
    {1700, 1231, "numeric"},
    {1790, 2201, "refcursor"},
    {2202, 2207, "regprocedure"},
    {2203, 2208, "regoper"},
    {2204, 2209, "regoperator"},
    {2205, 2210, "regclass"},
    {2206, 2211, "regtype"},
    {2249, 2287, "record"},
    {2275, 1263, "cstring"},
    {2276, 0, "any"},
    {2277, 0, "anyarray"},
    {2278, 0, "void"},
    {2279, 0, "trigger"},
    {2280, 0, "language_handler"},
    {2281, 0, "internal"},
    {2283, 0, "anyelement"},
    {2776, 0, "anynonarray"},
    {2950, 2951, "uuid"},
    {2970, 2949, "txid_snapshot"},
    {3115, 0, "fdw_handler"},
    {3220, 3221, "pg_lsn"},
    {3310, 0, "tsm_handler"},
    {3361, 0, "pg_ndistinct"},
    {3402, 0, "pg_dependencies"},
    {3500, 0, "anyenum"},
    {3614, 3643, "tsvector"},
    {3615, 3645, "tsquery"},
    {3642, 3644, "gtsvector"},
    {3734, 3735, "regconfig"},
    {3769, 3770, "regdictionary"},
    {3802, 3807, "jsonb"},
    {3831, 0, "anyrange"},
    {3838, 0, "event_trigger"},
    {3904, 3905, "int4range"},
    {3906, 3907, "numrange"},
    {3908, 3909, "tsrange"},
    {3910, 3911, "tstzrange"},
    {3912, 3913, "daterange"},
    {3926, 3927, "int8range"},
    {4072, 4073, "jsonpath"},
    {4089, 4090, "regnamespace"},
    {4096, 4097, "regrole"},
    {4191, 4192, "regcollation"},
    {4451, 6150, "int4multirange"},
    {4532, 6151, "nummultirange"},
    {4533, 6152, "tsmultirange"},
    {4534, 6153, "tstzmultirange"},
    {4535, 6155, "datemultirange"},
    {4536, 6157, "int8multirange"},
    {4537, 0, "anymultirange"},
    {4538, 0, "anycompatiblemultirange"},
    {4600, 0, "pg_brin_bloom_summary"},
    {4601, 0, "pg_brin_minmax_multi_summary"},
    {5017, 0, "pg_mcv_list"},
    {5038, 5039, "pg_snapshot"},
    {5069, 271, "xid8"},
    {5077, 0, "anycompatible"},
    {5078, 0, "anycompatiblearray"},
    {5079, 0, "anycompatiblenonarray"},
    {5080, 0, "anycompatiblerange"},
};

static_assert(std::ranges::is_sorted(built_ins, {}, &built_in::oid));

const built_in* find_built_in(std::uint32_t oid) noexcept {
  const auto* found = std::ranges::lower_bound(built_ins, oid, {}, &built_in::oid);
  return found != std::end(built_ins) && found->oid == oid ? found : nullptr;
}

const built_in* find_array(std::uint32_t oid) noexcept {
  const auto* found = std::ranges::find(built_ins, oid, &built_in::array);
  return oid != 0 && found != std::end(built_ins) ? found : nullptr;
}

} // namespace

std::string type_name(std::uint32_t oid) {
  if (const auto* type = find_built_in(oid))
    return std::string{type->name};
  if (const auto* element = find_array(oid))
    return std::string{element->name} + "[]";
  return "oid " + std::to_string(oid);
}

bool is_built_in(std::uint32_t oid) noexcept { return find_built_in(oid) || find_array(oid); }

std::uint32_t element_of(std::uint32_t array_oid) noexcept {
  const auto* element = find_array(array_oid);
  return element ? element->oid : 0;
}

std::size_t binary_size(std::uint32_t oid) noexcept {
  switch (oid) {
  case oid_bool:
    return 1;
  case oid_int2:
    return 2;
  case oid_int4:
  case oid_oid:
  case oid_float4:
  case oid_date:
    return 4;
  case oid_int8:
  case oid_float8:
  case oid_timestamp:
    return 8;
  case oid_uuid:
    return 16;
  default:
    return 0;
  }
}

bool binary_is_exact(std::uint32_t oid) noexcept { return is_textual(oid) || binary_size(oid) != 0; }

} // namespace sheaf::postgresql
