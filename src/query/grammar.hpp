// The grammar of the query language, in PEGTL's terms. Each rule passes over the white space behind it, unless
// something may follow without any.
#pragma once

#include <tao/pegtl.hpp>

#include "query/ast.hpp"

namespace fermata::query::grammar {

using namespace tao::pegtl;

struct gap : star<space> {};
// Bytes above 127 are parts of UTF-8 characters, which names may hold.
struct word_start : sor<alpha, one<'_'>, range<'\x80', '\xff'>> {};
struct word_rest : sor<word_start, digit> {};
struct any_word : seq<word_start, star<word_rest>> {};

template <class Word>
struct keyword : seq<Word, not_at<word_rest>, gap> {};
template <char... kSigns>
struct sign : seq<one<kSigns...>, gap> {};

struct k_select : keyword<TAO_PEGTL_ISTRING("select")> {};
struct k_from : keyword<TAO_PEGTL_ISTRING("from")> {};
struct k_where : keyword<TAO_PEGTL_ISTRING("where")> {};
struct k_order : keyword<TAO_PEGTL_ISTRING("order")> {};
struct k_by : keyword<TAO_PEGTL_ISTRING("by")> {};
struct k_asc : keyword<TAO_PEGTL_ISTRING("asc")> {};
struct k_desc : keyword<TAO_PEGTL_ISTRING("desc")> {};
struct k_limit : keyword<TAO_PEGTL_ISTRING("limit")> {};
struct k_insert : keyword<TAO_PEGTL_ISTRING("insert")> {};
struct k_into : keyword<TAO_PEGTL_ISTRING("into")> {};
struct k_documents : keyword<TAO_PEGTL_ISTRING("documents")> {};
struct k_on : keyword<TAO_PEGTL_ISTRING("on")> {};
struct k_id : keyword<TAO_PEGTL_ISTRING("id")> {};
struct k_conflict : keyword<TAO_PEGTL_ISTRING("conflict")> {};
struct k_fail : keyword<TAO_PEGTL_ISTRING("fail")> {};
struct k_do : keyword<TAO_PEGTL_ISTRING("do")> {};
struct k_nothing : keyword<TAO_PEGTL_ISTRING("nothing")> {};
struct k_update : keyword<TAO_PEGTL_ISTRING("update")> {};
struct k_set : keyword<TAO_PEGTL_ISTRING("set")> {};
struct k_increment : keyword<TAO_PEGTL_ISTRING("increment")> {};
struct k_delete : keyword<TAO_PEGTL_ISTRING("delete")> {};
struct k_and : keyword<TAO_PEGTL_ISTRING("and")> {};
struct k_or : keyword<TAO_PEGTL_ISTRING("or")> {};
struct k_not : keyword<TAO_PEGTL_ISTRING("not")> {};
struct k_in : keyword<TAO_PEGTL_ISTRING("in")> {};
struct k_is : keyword<TAO_PEGTL_ISTRING("is")> {};
struct k_like : keyword<TAO_PEGTL_ISTRING("like")> {};
struct k_null : keyword<TAO_PEGTL_ISTRING("null")> {};
struct k_missing : keyword<TAO_PEGTL_ISTRING("missing")> {};
struct k_true : keyword<TAO_PEGTL_ISTRING("true")> {};
struct k_false : keyword<TAO_PEGTL_ISTRING("false")> {};
struct k_distinct : keyword<TAO_PEGTL_ISTRING("distinct")> {};
struct k_as : keyword<TAO_PEGTL_ISTRING("as")> {};
struct k_inner : keyword<TAO_PEGTL_ISTRING("inner")> {};
struct k_left : keyword<TAO_PEGTL_ISTRING("left")> {};
struct k_outer : keyword<TAO_PEGTL_ISTRING("outer")> {};
struct k_join : keyword<TAO_PEGTL_ISTRING("join")> {};
struct k_group : keyword<TAO_PEGTL_ISTRING("group")> {};
struct k_having : keyword<TAO_PEGTL_ISTRING("having")> {};
struct k_offset : keyword<TAO_PEGTL_ISTRING("offset")> {};
struct k_between : keyword<TAO_PEGTL_ISTRING("between")> {};
struct k_contains : keyword<TAO_PEGTL_ISTRING("contains")> {};
struct k_match : keyword<TAO_PEGTL_ISTRING("match")> {};
struct k_any : keyword<TAO_PEGTL_ISTRING("any")> {};
struct k_every : keyword<TAO_PEGTL_ISTRING("every")> {};
struct k_satisfies : keyword<TAO_PEGTL_ISTRING("satisfies")> {};
struct k_end : keyword<TAO_PEGTL_ISTRING("end")> {};
struct k_update_local_diff : keyword<TAO_PEGTL_ISTRING("update_local_diff")> {};
struct k_unset : keyword<TAO_PEGTL_ISTRING("unset")> {};
struct k_evict : keyword<TAO_PEGTL_ISTRING("evict")> {};
struct k_returning : keyword<TAO_PEGTL_ISTRING("returning")> {};
struct k_create : keyword<TAO_PEGTL_ISTRING("create")> {};
struct k_drop : keyword<TAO_PEGTL_ISTRING("drop")> {};
struct k_show : keyword<TAO_PEGTL_ISTRING("show")> {};
struct k_explain : keyword<TAO_PEGTL_ISTRING("explain")> {};
struct k_fulltext : keyword<TAO_PEGTL_ISTRING("fulltext")> {};
struct k_index : keyword<TAO_PEGTL_ISTRING("index")> {};
struct k_indexes : keyword<TAO_PEGTL_ISTRING("indexes")> {};
struct k_if : keyword<TAO_PEGTL_ISTRING("if")> {};
struct k_exists : keyword<TAO_PEGTL_ISTRING("exists")> {};

// Words that would make a statement ambiguous as names; they need double quotes there.
struct reserved
    : sor<k_select, k_from, k_where, k_order, k_by, k_asc, k_desc, k_limit, k_insert, k_into, k_on, k_update, k_set,
          k_delete, k_and, k_or, k_not, k_in, k_is, k_like, k_null, k_missing, k_true, k_false> {};

// Names and paths
struct plain_name : seq<not_at<reserved>, any_word> {};
struct quote_end : one<'"'> {};
struct quoted_name : if_must<one<'"'>, star<sor<string<'"', '"'>, not_one<'"'>>>, quote_end> {};
struct path_part : sor<quoted_name, any_word> {};
struct path : seq<sor<quoted_name, plain_name>, star<if_must<one<'.'>, path_part>>> {};
struct field : seq<path, gap> {};
struct name : seq<sor<quoted_name, plain_name>, gap> {};
struct collection : seq<sor<quoted_name, plain_name>, gap> {};

// Values
struct parameter_name : any_word {};
struct parameter : if_must<one<':'>, parameter_name> {};
struct text_end : one<'\''> {};
struct text : if_must<one<'\''>, star<sor<string<'\'', '\''>, not_one<'\''>>>, text_end> {};
struct fraction : seq<one<'.'>, plus<digit>> {};
struct exponent : seq<one<'e', 'E'>, opt<one<'+', '-'>>, plus<digit>> {};
struct number : seq<opt<one<'-'>>, plus<digit>, opt<fraction>, opt<exponent>, not_at<word_rest>> {};
struct json_text : if_must<one<'"'>, star<sor<seq<one<'\\'>, any>, not_one<'"', '\\'>>>, quote_end> {};

struct object;
struct array;
struct scalar : sor<number, text, parameter, k_true, k_false, k_null> {};
struct member_value : seq<sor<scalar, json_text, object, array>, gap> {};
struct member_key : seq<sor<json_text, text, any_word>, gap> {};
struct colon : sign<':'> {};
struct member : seq<member_key, must<colon, member_value>> {};
struct next_member : seq<member> {};
struct object_end : one<'}'> {};
struct members : seq<member, star<if_must<sign<','>, next_member>>> {};
struct object_body : seq<opt<members>, must<object_end>> {};
struct object : if_must<sign<'{'>, object_body> {};
struct array_end : one<']'> {};
struct elements : list_must<member_value, sign<','>> {};
struct array_body : seq<opt<elements>, must<array_end>> {};
struct array : if_must<sign<'['>, array_body> {};

// Expressions, from what binds most to what binds least. Conditions are expressions too, so a parenthesis may hold
// either, and nothing is parsed twice.
struct expression;
struct open : sign<'('> {};
struct close : sign<')'> {};
struct group_end : one<')'> {};
struct group_body : seq<expression> {};
struct group : if_must<open, group_body, group_end> {};
struct function_name : seq<plain_name> {};
struct all_rows : sign<'*'> {};
struct argument : seq<expression> {};
struct distinct_argument : list_must<argument, sign<','>> {};
struct arguments : sor<if_must<k_distinct, distinct_argument>, list_must<argument, sign<','>>> {};
struct call_end : one<')'> {};
struct call_body : seq<sor<all_rows, opt<arguments>>, must<call_end>> {};
struct call : seq<function_name, gap, open, call_body> {};
struct variable : seq<name> {};
struct satisfied : seq<expression> {};
struct sum;
struct looked_through : seq<sum> {};
struct quantified_body : must<looked_through, k_satisfies, satisfied, k_end> {};
struct quantified : seq<sor<k_any, k_every>, variable, k_in, quantified_body> {};
struct primary : sor<scalar, object, array, group, quantified, call, path> {};
struct element_end : one<']'> {};
struct element_body : seq<expression> {};
struct element : if_must<sign<'['>, element_body, element_end> {};
struct member_of : if_must<one<'.'>, path_part> {};
struct postfix : seq<primary, star<seq<gap, sor<element, member_of>>>, gap> {};
struct minus : sign<'-'> {};
struct negative : seq<plus<minus>, postfix> {};
struct factor : sor<postfix, negative> {};
struct product_sign : one<'*', '/', '%'> {};
struct product : seq<factor, star<if_must<product_sign, gap, factor>>> {};
struct sum_sign : sor<string<'|', '|'>, one<'+', '-'>> {};
struct sum : seq<product, star<if_must<sum_sign, gap, product>>> {};

struct operand : seq<sum> {};
struct comparison_sign : seq<sor<string<'=', '='>, string<'!', '='>, string<'<', '>'>, string<'<', '='>,
                                 string<'>', '='>, one<'=', '<', '>'>>> {};
struct compare : if_must<comparison_sign, gap, operand> {};
struct listed : list_must<argument, sign<','>> {};
struct in_list_body : seq<opt<listed>, must<close>> {};
struct in_list : if_must<open, in_list_body> {};
struct in_array : seq<sum> {};
struct in_what : sor<in_list, in_array> {};
struct in : seq<opt<k_not>, k_in, must<in_what>> {};
struct between : seq<opt<k_not>, k_between, must<operand, k_and, operand>> {};
struct contains : if_must<k_contains, operand> {};
struct pattern : seq<sor<text, parameter, k_null>, gap> {};
struct matching : if_must<k_match, pattern> {};
struct like : seq<opt<k_not>, k_like, must<pattern>> {};
struct is_what : sor<k_null, k_missing> {};
struct is : if_must<k_is, opt<k_not>, is_what> {};
struct condition : seq<sum, opt<sor<compare, in, like, between, contains, matching, is>>> {};
struct negation : seq<star<k_not>, condition> {};
struct conjunction : list_must<negation, k_and> {};
struct expression : list_must<conjunction, k_or> {};

// Statements
struct where : if_must<k_where, expression> {};
struct everything : sign<'*'> {};
struct projected_name : seq<name> {};
struct projection : seq<expression, opt<if_must<k_as, projected_name>>> {};
struct projected : sor<everything, projection> {};
struct projections : list_must<projected, sign<','>> {};
struct distinct : seq<k_distinct, not_at<sor<one<','>, k_from, k_as>>> {};
struct distinct_projections : seq<projections> {};
struct selected : sor<if_must<distinct, distinct_projections>, projections> {};
struct alias : seq<name> {};
struct source : seq<collection, opt<if_must<k_as, alias>>> {};
struct join_kind : sor<k_inner, seq<k_left, opt<k_outer>>> {};
struct join_condition : seq<expression> {};
struct join : seq<opt<join_kind>, if_must<k_join, source, k_on, join_condition>> {};
struct grouped : list_must<argument, sign<','>> {};
struct grouping : if_must<k_group, k_by, grouped> {};
struct having : if_must<k_having, expression> {};
struct order_term : seq<expression, opt<sor<k_asc, k_desc>>> {};
struct order_terms : list_must<order_term, sign<','>> {};
struct order : if_must<k_order, k_by, order_terms> {};
struct limit_value : seq<sor<number, parameter>, gap> {};
struct limit : if_must<k_limit, limit_value> {};
struct offset : if_must<k_offset, limit_value> {};
struct select : seq<if_must<k_select, selected, k_from, source>, star<join>, opt<where>, opt<grouping>, opt<having>,
                    opt<order>, opt<limit>, opt<offset>> {};
struct returning : if_must<k_returning, projections> {};

struct document_value : seq<sor<object, parameter>, gap> {};
struct document : if_must<open, document_value, close> {};
struct documents : list_must<document, sign<','>> {};
struct do_nothing : k_nothing {};
struct do_update : k_update {};
struct do_update_local_diff : k_update_local_diff {};
struct do_what : sor<do_nothing, do_update_local_diff, do_update> {};
struct conflict_rule : sor<k_fail, if_must<k_do, do_what>> {};
struct conflict : if_must<k_on, k_id, k_conflict, conflict_rule> {};
struct insert : seq<if_must<k_insert, k_into, collection, k_documents, documents>, opt<conflict>, opt<returning>> {};

struct equals : sign<'='> {};
struct assigned : seq<expression> {};
struct assignment : seq<field, must<equals, assigned>> {};
struct assignments : list_must<assignment, sign<','>> {};
struct removal : seq<field> {};
struct removals : list_must<removal, sign<','>> {};
struct increase : seq<field, must<k_by, operand>> {};
struct increases : list_must<increase, sign<','>> {};
struct change : sor<if_must<k_set, assignments>, if_must<k_unset, removals>, if_must<k_increment, increases>> {};
struct changes : plus<change> {};
struct update : seq<if_must<k_update, collection, changes>, opt<where>, opt<returning>> {};
struct erase : seq<if_must<k_delete, k_from, collection>, opt<where>, opt<returning>> {};
struct evict : seq<if_must<k_evict, k_from, collection>, opt<where>, opt<returning>> {};

struct index_name : seq<name> {};
struct if_not_exists : if_must<k_if, k_not, k_exists> {};
struct if_exists : if_must<k_if, k_exists> {};
struct indexed : seq<field, opt<sor<k_asc, k_desc>>> {};
struct indexed_fields : list_must<indexed, sign<','>> {};
struct index_kind : seq<opt<k_fulltext>, k_index> {};
struct create_index
    : if_must<k_create, index_kind, opt<if_not_exists>, index_name, k_on, collection, open, indexed_fields, close> {};
struct drop_index : if_must<k_drop, k_index, opt<if_exists>, index_name> {};
struct show_what : sor<k_indexes, k_index> {};
struct show_indexes : if_must<k_show, show_what> {};
struct explained : seq<select> {};
struct explain : if_must<k_explain, explained> {};

struct any_statement : sor<select, insert, update, erase, evict, create_index, drop_index, show_indexes, explain> {};
struct finish : eof {};
struct statement : seq<gap, must<any_statement>, opt<sign<';'>>, must<finish>> {};
// What needs no quotes wherever a name may stand: in parentheses, a leading DISTINCT would be taken for the word.
struct bare_name : seq<not_at<k_distinct>, plain_name, eof> {};

}  // namespace fermata::query::grammar
