import type { Dialect } from './dialect.ts'

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/**
 * Words that no table is called without quotes: reserved in SQLite, PostgreSQL and MySQL alike, or taken here for a name needlessly. One too few
 * costs a tag; one too many would lose a table, so none is here that one of the three lets tables be called.
 * https://www.postgresql.org/docs/17/sql-keywords-appendix.html, https://www.sqlite.org/lang_keywords.html,
 * https://dev.mysql.com/doc/refman/8.4/en/keywords.html
 */
export const RESERVED: ReadonlySet<string> = words(`
  and as case check collate constraint create default distinct else foreign from group having in into is join
  limit not null on or order primary references select table then to union unique using when where
`)

/** Reserved in a dialect beyond those. */
export const RESERVED_BY_DIALECT: Readonly<Record<Dialect, ReadonlySet<string>>> = {
  sqlite: words('between delete except exists insert intersect set update values isnull notnull'),
  postgres: words(`
    all any array asc asymmetric both cast cross desc do end except false fetch for full ilike initially inner intersect isnull lateral
    leading left like localtime natural notnull offset only outer placing right similar some symmetric trailing true user variadic
    window with
  `),
  mysql: words(`
    all asc between both by cross delete desc div exists false for force ignore inner insert interval leading left like natural outer
    partition regexp replace right rlike set straight_join trailing true update values with xor
  `),
}

/** Words that end a read: it changes something, or may. Where a dialect lets columns be called so, that costs a deletion too many. */
export const CHANGING: ReadonlySet<string> = words(`
  insert update delete merge truncate into call copy drop alter create grant revoke load import refresh vacuum reindex attach detach
  lock unlock
`)

/** Moments and callers that are asked for without brackets. */
export const UNSTEADY_WORDS: ReadonlySet<string> = words(`
  current_timestamp current_date current_time localtime localtimestamp current_user session_user system_user current_role
  current_catalog current_schema utc_date utc_time utc_timestamp sysdate tablesample
`)

/** Words before a bracket that are no functions. */
export const NO_FUNCTIONS: ReadonlySet<string> = words(`
  all and any as between by case cast char character check collate distinct else end except exists from glob group having in inner
  intersect interval is join lateral like ilike limit match not null offset on only or order partition recursive references
  returning regexp rlike row rows select set similar some then union using values when where window with xor
  decimal numeric varchar varying nvarchar binary varbinary float double precision bit text
  bigint int integer smallint tinyint signed unsigned
`)

/** The same, behind one of these only. */
export const NO_FUNCTIONS_BEHIND: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['conflict', words('on')],
  ['materialized', words('as not')],
  ['index', words('use force ignore')],
  ['key', words('use force ignore')],
  ['sets', words('grouping')],
  ['rollup', words('by')],
  ['cube', words('by')],
  ['system', words('tablesample')],
  ['bernoulli', words('tablesample')],
])

/**
 * Functions whose result follows from their arguments, and which change nothing, in every dialect that has one of the name. Functions of dates
 * are not here where they know "now".
 */
export const PURE: ReadonlySet<string> = words(`
  abs acos acosd acosh any_value array array_agg array_append array_cat array_length array_lower array_position array_positions
  array_prepend array_remove array_replace array_to_string array_upper ascii asin asind asinh atan atan2 atand atanh avg
  bit_and bit_count bit_length bit_or bit_xor bool_and bool_or btrim cardinality cbrt ceil ceiling char_length character_length
  chr coalesce concat concat_ws conv convert corr cos cosd cosh cot count covar_pop covar_samp crc32 cume_dist date_part date_trunc
  datediff date_add date_sub date_format day dayname dayofmonth dayofweek dayofyear decode degrees dense_rank div elt encode every
  exp extract factorial field find_in_set first_value floor format from_base64 from_days gcd glob greatest group_concat grouping hex
  hour if ifnull iif initcap insert instr inverse isnull json json_agg json_array json_array_elements json_array_elements_text
  json_array_length json_arrayagg json_build_array json_build_object json_contains json_contains_path json_depth json_each
  json_each_text json_error_position json_extract json_extract_path json_extract_path_text json_group_array json_group_object
  json_insert json_keys json_length json_merge_patch json_merge_preserve json_object json_object_agg json_object_keys json_objectagg
  json_patch json_pretty json_quote json_remove json_replace json_search json_set json_table json_to_record json_to_recordset json_tree
  json_type json_typeof json_unquote json_valid json_value jsonb jsonb_agg jsonb_array_elements jsonb_array_elements_text
  jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text
  jsonb_insert jsonb_object_agg jsonb_object_keys jsonb_path_exists jsonb_path_query jsonb_path_query_array jsonb_path_query_first
  jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof lag last_day last_value lcase lcm lead
  least left length likelihood likely ln locate log log10 log2 lower lpad ltrim make_date make_interval make_time makedate maketime
  max md5 microsecond mid min minute mod mode month monthname nth_value ntile nullif num_nonnulls num_nulls octet_length oct octet_length
  ord overlay percent_rank percentile_cont percentile_disc period_add period_diff pi plainto_tsquery phraseto_tsquery position pow
  power printf quarter quote quote_ident quote_literal quote_nullable radians range_agg rank regexp_count regexp_instr regexp_like
  regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr repeat replace reverse right
  round row_number row_to_json rpad rtrim scale sec_to_time second sha1 sha2 sha224 sha256 sha384 sha512 sign sin sind sinh
  soundex space split_part sqrt starts_with stddev stddev_pop stddev_samp str_to_date strcmp string_agg string_to_array
  string_to_table strpos substr substring substring_index subtime sum tan tand tanh time_to_sec timediff timestampadd timestampdiff
  to_base64 to_bytea to_char to_date to_days to_hex to_json to_jsonb to_number to_timestamp to_tsquery to_tsvector total translate
  trim trunc truncate ts_headline ts_rank ts_rank_cd typeof ucase unhex unicode unistr unlikely unnest upper var_pop var_samp variance
  date time datetime julianday strftime unixepoch timestamp
  adddate addtime subdate from_unixtime inet_aton inet_ntoa inet6_aton inet6_ntoa uuid_to_bin bin_to_uuid convert_tz json_overlaps
  json_storage_size array_to_json jsonb_object jsonb_array jsonb_path_match jsonb_path_exists_tz date_bin isfinite justify_days
  justify_hours justify_interval make_timestamp make_timestamptz int4range int8range numrange tsrange tstzrange daterange
  lower_inc lower_inf upper_inc upper_inf isempty range_merge set_bit get_bit set_byte get_byte regr_avgx regr_avgy regr_count
  regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy pg_size_pretty setweight strip querytree numnode
  timezone normalize to_ascii erf erfc gamma lgamma
  websearch_to_tsquery week weekday weekofyear width_bucket xmlagg year yearweek zeroblob generate_series
`)

/** Functions that change nothing, and whose result depends on more than their arguments and the tables. */
export const UNSTEADY: ReadonlySet<string> = words(`
  age benchmark changes clock_timestamp connection_id curdate curtime database found_rows gen_random_uuid get_lock is_free_lock inet_client_addr inet_client_port inet_server_addr inet_server_port last_insert_id last_insert_rowid localtime
  localtimestamp now current_date current_database current_schema current_schemas current_setting current_time current_timestamp
  current_user current_query pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all
  pg_advisory_unlock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_backend_pid pg_sleep pg_try_advisory_lock
  pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared pg_typeof release_lock rand random random_normal randomblob row_count schema session_user
  setseed sleep sqlite_source_id sqlite_version statement_timestamp sysdate system_user timeofday
  total_changes transaction_timestamp txid_current unix_timestamp user utc_date utc_time utc_timestamp uuid uuid_short
  uuidv4 uuidv7 version
`)

/** Functions of SQLite that take "now" for a date, or take it for one that is left out. */
export const SQLITE_DATES: ReadonlySet<string> = words('date time datetime julianday strftime unixepoch timediff')
