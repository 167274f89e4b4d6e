// The grammar of the query language, in PEGTL's terms. Included by parser.cpp only: it is slow to compile.
// Each rule passes over the white space behind it. `expected<Rule>` says what a syntax error at that rule asks for.
#pragma once

#include <tao/pegtl.hpp>
#include <tao/pegtl/contrib/limit_depth.hpp>
#include <tao/pegtl/contrib/parse_tree.hpp>

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

// Words that would make a statement ambiguous as names; they need double quotes there.
struct reserved
    : sor<k_select, k_from, k_where, k_order, k_by, k_asc, k_desc, k_limit, k_insert, k_into, k_on, k_update, k_set,
          k_delete, k_and, k_or, k_not, k_in, k_is, k_like, k_null, k_missing, k_true, k_false> {};

// Names and paths
struct plain_name : seq<not_at<reserved>, any_word> {};
struct quote_end : one<'"'> {};
struct quoted_name : if_must<one<'"'>, star<sor<string<'"', '"'>, not_one<'"'>>>, quote_end> {};
struct path_part : sor<quoted_name, any_word> {};
struct path : seq<sor<quoted_name, plain_name>, star<if_must<one<'.'>, path_part>>, gap> {};
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

// Expressions. A parenthesis always opens a condition, never a value, so nothing is parsed twice.
struct operand : seq<sor<scalar, object, array, path>, gap> {};
struct comparison_sign : seq<sor<string<'=', '='>, string<'!', '='>, string<'<', '>'>, string<'<', '='>,
                                 string<'>', '='>, one<'=', '<', '>'>>> {};
struct compare : if_must<comparison_sign, gap, operand> {};
struct open : sign<'('> {};
struct close : sign<')'> {};
struct listed : list_must<operand, sign<','>> {};
struct in : seq<opt<k_not>, k_in, must<open, listed, close>> {};
struct pattern : seq<sor<text, parameter, k_null>, gap> {};
struct like : seq<opt<k_not>, k_like, must<pattern>> {};
struct is_what : sor<k_null, k_missing> {};
struct is : if_must<k_is, opt<k_not>, is_what> {};
struct condition : seq<operand, opt<sor<compare, in, like, is>>> {};
struct expression;
struct group_body : seq<expression> {};
struct group : if_must<open, group_body, close> {};
struct term : sor<group, condition> {};
struct negation : seq<star<k_not>, term> {};
struct conjunction : list_must<negation, k_and> {};
struct expression : list_must<conjunction, k_or> {};

// Statements
struct where : if_must<k_where, expression> {};
struct everything : sign<'*'> {};
struct order_term : seq<path, opt<sor<k_asc, k_desc>>> {};
struct order_terms : list_must<order_term, sign<','>> {};
struct order : if_must<k_order, k_by, order_terms> {};
struct limit_value : seq<sor<number, parameter>, gap> {};
struct limit : if_must<k_limit, limit_value> {};
struct select : seq<if_must<k_select, everything, k_from, collection>, opt<where>, opt<order>, opt<limit>> {};

struct document_value : seq<sor<object, parameter>, gap> {};
struct document : if_must<open, document_value, close> {};
struct documents : list_must<document, sign<','>> {};
struct do_nothing : k_nothing {};
struct do_update : k_update {};
struct do_what : sor<do_nothing, do_update> {};
struct conflict_rule : sor<k_fail, if_must<k_do, do_what>> {};
struct conflict : if_must<k_on, k_id, k_conflict, conflict_rule> {};
struct insert : seq<if_must<k_insert, k_into, collection, k_documents, documents>, opt<conflict>> {};

struct equals : sign<'='> {};
struct assignment : seq<path, must<equals, operand>> {};
struct assignments : list_must<assignment, sign<','>> {};
struct increase : seq<path, must<k_by, operand>> {};
struct increases : list_must<increase, sign<','>> {};
struct change : sor<if_must<k_set, assignments>, if_must<k_increment, increases>> {};
struct update : seq<if_must<k_update, collection, change>, opt<where>> {};
struct erase : seq<if_must<k_delete, k_from, collection>, opt<where>> {};

struct any_statement : sor<select, insert, update, erase> {};
struct finish : eof {};
struct statement : seq<gap, must<any_statement>, opt<sign<';'>>, must<finish>> {};
struct bare_name : seq<plain_name, eof> {};

// What each rule that must match asks for, put after "expected".
template <class Rule>
inline constexpr const char* expected = nullptr;
inline constexpr const char* kValueHelp = "a value: a number, 'text', true, false, null, a :parameter or a field";
inline constexpr const char* kConditionHelp = "a condition, such as field = 'text'";
inline constexpr const char* kMemberHelp = "a value: a number, 'text', true, false, null, a :parameter, {...} or [...]";
template <>
inline constexpr const char* expected<any_statement> = "SELECT, INSERT, UPDATE or DELETE";
template <>
inline constexpr const char* expected<finish> = "the end of the statement, or a clause that can follow here";
template <>
inline constexpr const char* expected<everything> = "* (whole documents are selected)";
template <>
inline constexpr const char* expected<k_from> = "FROM";
template <>
inline constexpr const char* expected<k_by> = "BY";
template <>
inline constexpr const char* expected<k_into> = "INTO";
template <>
inline constexpr const char* expected<k_documents> = "DOCUMENTS";
template <>
inline constexpr const char* expected<k_id> = "ID CONFLICT";
template <>
inline constexpr const char* expected<k_conflict> = "CONFLICT";
template <>
inline constexpr const char* expected<change> = "SET or INCREMENT";
template <>
inline constexpr const char* expected<increases> = "a field to increment";
template <>
inline constexpr const char* expected<increase> = "a field to increment";
template <>
inline constexpr const char* expected<collection> =
    "the name of a collection (a reserved word needs \"double quotes\")";
template <>
inline constexpr const char* expected<path_part> = "the name of a field after the dot";
template <>
inline constexpr const char* expected<quote_end> = "a closing double quote";
template <>
inline constexpr const char* expected<text_end> = "a closing quote (a quote inside 'text' is written twice)";
template <>
inline constexpr const char* expected<parameter_name> = "the name of a parameter after the colon";
template <>
inline constexpr const char* expected<colon> = "a colon after the field's name";
template <>
inline constexpr const char* expected<member_value> = kMemberHelp;
template <>
inline constexpr const char* expected<next_member> = "the name of a field";
template <>
inline constexpr const char* expected<object_end> = "a field's name, a comma or }";
template <>
inline constexpr const char* expected<array_end> = "a value, a comma or ]";
template <>
inline constexpr const char* expected<operand> = kValueHelp;
template <>
inline constexpr const char* expected<listed> = kValueHelp;
template <>
inline constexpr const char* expected<open> = "(";
template <>
inline constexpr const char* expected<close> = ")";
template <>
inline constexpr const char* expected<pattern> = "a pattern: 'text' or a :parameter";
template <>
inline constexpr const char* expected<is_what> = "NULL or MISSING";
template <>
inline constexpr const char* expected<expression> = kConditionHelp;
template <>
inline constexpr const char* expected<group_body> = kConditionHelp;
template <>
inline constexpr const char* expected<conjunction> = kConditionHelp;
template <>
inline constexpr const char* expected<negation> = kConditionHelp;
template <>
inline constexpr const char* expected<order_terms> = "a field to order by";
template <>
inline constexpr const char* expected<order_term> = "a field to order by";
template <>
inline constexpr const char* expected<limit_value> = "a number or a :parameter";
template <>
inline constexpr const char* expected<document_value> = "a document: a :parameter or {...}";
template <>
inline constexpr const char* expected<documents> = "a document in parentheses: (:parameter) or ({...})";
template <>
inline constexpr const char* expected<document> = "a document in parentheses: (:parameter) or ({...})";
template <>
inline constexpr const char* expected<do_what> = "NOTHING or UPDATE";
template <>
inline constexpr const char* expected<conflict_rule> = "FAIL, DO NOTHING or DO UPDATE";
template <>
inline constexpr const char* expected<equals> = "=";
template <>
inline constexpr const char* expected<assignments> = "a field to set";
template <>
inline constexpr const char* expected<assignment> = "a field to set";

// A rule with a text may still fail quietly where it is optional; only must<> raises.
struct Messages {
  template <class Rule>
  static constexpr const char* message = expected<Rule>;
  template <class Rule>
  static constexpr bool raise_on_failure = false;
};
template <class Rule>
using control = must_if<Messages, normal, false>::control<Rule>;

// The insides of what nests: counted once the bracket is there, so that a mere attempt does not count.
template <class Rule>
struct action : nothing<Rule> {};
template <>
struct action<group_body> : limit_depth<kMaxNesting> {};
template <>
struct action<object_body> : limit_depth<kMaxNesting> {};
template <>
struct action<array_body> : limit_depth<kMaxNesting> {};

// The rules that become nodes of the parse tree.
template <class Rule>
using selector = parse_tree::selector<
    Rule, parse_tree::store_content::on<plain_name, any_word, quoted_name, path, collection, parameter, number, text,
                                        json_text, k_true, k_false, k_null, k_missing, k_not, object, member, array,
                                        comparison_sign, condition, compare, in, like, is, negation, conjunction,
                                        expression, where, order_term, k_desc, limit, select, insert, do_nothing,
                                        do_update, update, assignment, increase, erase>>;

}  // namespace fermata::query::grammar
