// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/sql/known_functions.hpp"

#include <algorithm>
#include <array>

namespace sheaf {

namespace {

/// The words of a text, which blanks part, in order.
template <std::size_t Count>
constexpr std::array<std::string_view, Count> sorted_words(std::string_view text) {
  std::array<std::string_view, Count> words;
  for (auto& word : words) {
    word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  std::sort(words.begin(), words.end());
  return words;
}

constexpr std::size_t words_in(std::string_view text) {
  return 1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), ' '));
}

/// PostgreSQL manual, chapter 9, without what reads a query from its arguments, writes, or sets something for its
/// session. `random` and `setseed` share a seed, but the reset draws a new one.
constexpr std::string_view reading_text =
    "abbrev abs acos acosd acosh age any_value area array_agg array_append array_cat array_dims array_fill "
    "array_length array_lower array_ndims array_position array_positions array_prepend array_remove array_replace "
    "array_to_json array_to_string array_to_tsvector array_upper ascii asin asind asinh atan atan2 atan2d atand "
    "atanh avg bit bit_and bit_count bit_length bit_or bit_xor bool bool_and bool_or box bpchar broadcast btrim "
    "bytea cardinality cbrt ceil ceiling center char char_length character_length chr cidr circle clock_timestamp "
    "col_description concat concat_ws convert convert_from convert_to corr cos cosd cosh cot cotd count covar_pop "
    "covar_samp cume_dist current_catalog current_database current_query current_role current_schema "
    "current_schemas current_setting current_user date date_bin date_part date_trunc datemultirange daterange "
    "decode degrees dense_rank diameter div encode enum_first enum_last enum_range erf erfc every exp extract "
    "factorial family first_value float4 float8 floor format format_type gcd gen_random_uuid generate_series "
    "generate_subscripts get_bit get_byte get_current_ts_config has_column_privilege has_database_privilege "
    "has_function_privilege has_schema_privilege has_sequence_privilege has_table_privilege has_type_privilege "
    "height host hostmask inet inet_client_addr inet_client_port inet_merge inet_same_family inet_server_addr "
    "inet_server_port initcap int2 int4 int4multirange int4range int8 int8multirange int8range interval "
    "is_normalized isclosed isempty isfinite isopen json_agg json_array_elements json_array_elements_text "
    "json_array_length json_build_array json_build_object json_each json_each_text json_extract_path "
    "json_extract_path_text json_object json_object_agg json_object_keys json_populate_record "
    "json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_to_tsvector json_typeof jsonb "
    "jsonb_agg jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array "
    "jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert "
    "jsonb_object jsonb_object_agg jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz jsonb_path_match "
    "jsonb_path_match_tz jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz jsonb_path_query_first "
    "jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record jsonb_populate_recordset jsonb_pretty "
    "jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_to_tsvector jsonb_typeof "
    "justify_days justify_hours justify_interval lag last_value lcm lead left length line ln log log10 lower "
    "lower_inc lower_inf lpad lseg ltrim macaddr make_date make_interval make_time make_timestamp "
    "make_timestamptz masklen max md5 min min_scale mod mode money multirange name netmask network normalize now "
    "npoints nth_value ntile num_nonnulls num_nulls numeric nummultirange numnode numrange obj_description "
    "octet_length oid overlaps overlay parse_ident path pclose percent_rank percentile_cont percentile_disc "
    "pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_available_extensions pg_backend_pid pg_blocking_pids "
    "pg_client_encoding pg_column_size pg_current_snapshot pg_current_xact_id_if_assigned pg_database_size "
    "pg_describe_object pg_encoding_to_char pg_get_constraintdef pg_get_expr pg_get_function_arguments "
    "pg_get_function_identity_arguments pg_get_function_result pg_get_functiondef pg_get_indexdef pg_get_keywords "
    "pg_get_partkeydef pg_get_ruledef pg_get_serial_sequence pg_get_triggerdef pg_get_userbyid pg_get_viewdef "
    "pg_has_role pg_indexes_size pg_is_in_recovery pg_listening_channels pg_my_temp_schema "
    "pg_postmaster_start_time pg_relation_size pg_size_bytes pg_size_pretty pg_sleep pg_sleep_for pg_sleep_until "
    "pg_snapshot_xip pg_snapshot_xmax pg_snapshot_xmin pg_table_is_visible pg_table_size pg_tablespace_location "
    "pg_timezone_names pg_total_relation_size pg_trigger_depth pg_try_advisory_xact_lock "
    "pg_try_advisory_xact_lock_shared pg_type_is_visible pg_typeof pg_wal_lsn_diff phraseto_tsquery pi "
    "plainto_tsquery point polygon popen position power querytree quote_ident quote_literal quote_nullable "
    "radians radius random random_normal range_agg range_intersect_agg range_merge rank regclass regexp_count "
    "regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array "
    "regexp_split_to_table regexp_substr regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope "
    "regr_sxx regr_sxy regr_syy repeat replace reverse right round row_number row_security_active row_to_json "
    "rpad rtrim scale session_user set_bit set_byte set_masklen setweight sha224 sha256 sha384 sha512 "
    "shobj_description sign sin sind sinh slope split_part sqrt starts_with statement_timestamp stddev stddev_pop "
    "stddev_samp string_agg string_to_array string_to_table strip strpos substr substring sum tan tand tanh text "
    "time timeofday timestamp timestamptz timetz timezone to_ascii to_char to_date to_hex to_json to_jsonb "
    "to_number to_regclass to_regnamespace to_regproc to_regprocedure to_regrole to_regtype to_timestamp "
    "to_tsquery to_tsvector transaction_timestamp translate trim_array trim_scale trunc ts_debug ts_delete "
    "ts_filter ts_headline ts_lexize ts_parse ts_rank ts_rank_cd ts_token_type tsmultirange tsquery_phrase "
    "tsrange tstzmultirange tstzrange tsvector_to_array txid_current_if_assigned unistr unnest upper upper_inc "
    "upper_inf uuid var_pop var_samp varbit varchar variance version websearch_to_tsquery width width_bucket xml "
    "xml_is_well_formed xmlagg xmlcomment xpath xpath_exists";
constexpr auto reading = sorted_words<words_in(reading_text)>(reading_text);

/// Parentheses follow these, too, in PostgreSQL's grammar, and what they call is in `reading`, or nothing: keywords,
/// expressions with a syntax of their own, types with a modifier.
constexpr std::string_view keywords_text =
    "all and any array as bernoulli between by case cast character check coalesce columns conflict cross cube "
    "current_time current_timestamp dec decimal default distinct else end escape except exclude exists filter "
    "first float for from full greatest group grouping having ilike in inner insert int integer intersect into is "
    "isnull join json_array json_exists json_query json_table json_value lateral least like limit localtime "
    "localtimestamp materialized national nchar next not notnull nullif of offset on only or order over partition "
    "precision primary recursive references repeatable returning rollup row rows select set sets similar some "
    "symmetric system system_time table tablesample then to treat trim union unique using values varying when "
    "where window with within xmlattributes xmlconcat xmlelement xmlforest xmlnamespaces xmlparse xmlpi xmlroot "
    "xmlserialize xmltable zone";
constexpr auto keywords = sorted_words<words_in(keywords_text)>(keywords_text);

/// They leave something in their session for certain.
constexpr std::string_view leaving[] = {
    "pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared", "set_config",
    "setseed",
};
static_assert(std::is_sorted(std::begin(leaving), std::end(leaving)));

/// They leave something that no statement undoes: a temporary slot, an origin, a backup that has begun.
constexpr std::string_view spoiling[] = {
    "pg_backup_start",
    "pg_copy_logical_replication_slot",
    "pg_copy_physical_replication_slot",
    "pg_create_logical_replication_slot",
    "pg_create_physical_replication_slot",
    "pg_replication_origin_session_setup",
    "pg_start_backup",
};
static_assert(std::is_sorted(std::begin(spoiling), std::end(spoiling)));

/// They run SQL that is given as a text, and may be anything.
constexpr std::string_view running_texts[] = {
    "query_to_xml", "query_to_xml_and_xmlschema", "query_to_xmlschema", "ts_rewrite", "ts_stat",
};
static_assert(std::is_sorted(std::begin(running_texts), std::end(running_texts)));

bool is_among(const auto& sorted, std::string_view name) noexcept {
  return std::binary_search(std::begin(sorted), std::end(sorted), name);
}

} // namespace

bool only_reads(std::string_view function) noexcept { return is_among(reading, function); }

bool leaves_traces(std::string_view function) noexcept {
  return is_among(leaving, function) || is_among(running_texts, function) || spoils_session(function) ||
         function.starts_with("dblink_");
}

bool spoils_session(std::string_view function) noexcept { return is_among(spoiling, function); }

bool is_followed_by_parentheses(std::string_view keyword) noexcept { return is_among(keywords, keyword); }

std::span<const std::string_view> functions_that_only_read() noexcept { return reading; }

} // namespace sheaf
