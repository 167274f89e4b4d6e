// What a parse of the grammar does beside matching: the text of its errors, its limits, and the tree that it leaves.
// Included by parser.cpp only: it is slow to compile.
#pragma once

#include <tao/pegtl/contrib/limit_depth.hpp>
#include <tao/pegtl/contrib/parse_tree.hpp>

#include "query/grammar.hpp"

namespace fermata::query::grammar {

// What each rule that must match asks for, put after "expected".
template <class Rule>
inline constexpr const char* expected = nullptr;
inline constexpr const char* kValueHelp = "a value: a number, 'text', true, false, null, a :parameter or a field";
inline constexpr const char* kConditionHelp = "a condition, such as field = 'text'";
inline constexpr const char* kMemberHelp = "a value: a number, 'text', true, false, null, a :parameter, {...} or [...]";
template <>
inline constexpr const char* expected<any_statement> =
    "SELECT, INSERT, UPDATE, DELETE, EVICT, CREATE INDEX, DROP INDEX, SHOW INDEXES or EXPLAIN";
template <>
inline constexpr const char* expected<finish> = "the end of the statement, or a clause that can follow here";
template <>
inline constexpr const char* expected<projections> = "* or what to select: fields, or values computed of them";
template <>
inline constexpr const char* expected<selected> = expected<projections>;
template <>
inline constexpr const char* expected<distinct_projections> =
    "what to select behind DISTINCT (a field of that name needs \"double quotes\" here)";
template <>
inline constexpr const char* expected<distinct_argument> =
    "the value that DISTINCT is about (a field of that name needs \"double quotes\" here)";
template <>
inline constexpr const char* expected<projected> = "what to select: a field, or a value computed of fields";
template <>
inline constexpr const char* expected<projected_name> =
    "a name for the value (a reserved word needs \"double quotes\")";
template <>
inline constexpr const char* expected<alias> = "a short name for the collection";
template <>
inline constexpr const char* expected<source> = "the name of a collection (a reserved word needs \"double quotes\")";
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
inline constexpr const char* expected<changes> = "SET, UNSET or INCREMENT";
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
inline constexpr const char* expected<argument> = kValueHelp;
template <>
inline constexpr const char* expected<factor> = kValueHelp;
template <>
inline constexpr const char* expected<product> = kValueHelp;
template <>
inline constexpr const char* expected<in_what> = "a list in parentheses, or an array";
template <>
inline constexpr const char* expected<k_and> = "AND";
template <>
inline constexpr const char* expected<k_satisfies> = "SATISFIES";
template <>
inline constexpr const char* expected<k_end> = "END";
template <>
inline constexpr const char* expected<looked_through> = "an array to look through";
template <>
inline constexpr const char* expected<satisfied> = kConditionHelp;
template <>
inline constexpr const char* expected<call_end> = "a comma or )";
template <>
inline constexpr const char* expected<group_end> = ")";
template <>
inline constexpr const char* expected<element_body> = "the number of an element, from 0";
template <>
inline constexpr const char* expected<element_end> = "]";
template <>
inline constexpr const char* expected<join_condition> = "a condition, such as o.customer = c._id";
template <>
inline constexpr const char* expected<k_on> = "ON";
template <>
inline constexpr const char* expected<k_not> = "NOT EXISTS";
template <>
inline constexpr const char* expected<k_exists> = "EXISTS";
template <>
inline constexpr const char* expected<k_index> = "INDEX";
template <>
inline constexpr const char* expected<grouped> = "a field to group by";
template <>
inline constexpr const char* expected<assigned> = kValueHelp;
template <>
inline constexpr const char* expected<removals> = "a field to take away";
template <>
inline constexpr const char* expected<removal> = "a field to take away";
template <>
inline constexpr const char* expected<index_kind> = "INDEX or FULLTEXT INDEX";
template <>
inline constexpr const char* expected<index_name> = "a name for the index";
template <>
inline constexpr const char* expected<indexed_fields> = "a field to index";
template <>
inline constexpr const char* expected<indexed> = "a field to index";
template <>
inline constexpr const char* expected<show_what> = "INDEXES";
template <>
inline constexpr const char* expected<explained> = "a SELECT";
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
inline constexpr const char* expected<do_what> = "NOTHING, UPDATE or UPDATE_LOCAL_DIFF";
template <>
inline constexpr const char* expected<conflict_rule> = "FAIL, DO NOTHING, DO UPDATE or DO UPDATE_LOCAL_DIFF";
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
struct action<call_body> : limit_depth<kMaxNesting> {};
template <>
struct action<in_list_body> : limit_depth<kMaxNesting> {};
template <>
struct action<element_body> : limit_depth<kMaxNesting> {};
template <>
struct action<quantified_body> : limit_depth<kMaxNesting> {};
template <>
struct action<object_body> : limit_depth<kMaxNesting> {};
template <>
struct action<array_body> : limit_depth<kMaxNesting> {};

// The rules that become nodes of the parse tree. Those with a choice of what to be vanish when they hold one thing
// only.
template <class Rule>
using selector = parse_tree::selector<
    Rule,
    parse_tree::store_content::on<
        plain_name, any_word, quoted_name, path, collection, parameter, number, text, json_text, k_true, k_false,
        k_null, k_missing, k_not, object, member, array, comparison_sign, compare, in, in_list, in_array, like, between,
        contains, matching, is, function_name, all_rows, k_distinct, call, k_any, k_every, variable, quantified,
        element, member_of, minus, negative, product_sign, sum_sign, where, everything, projected_name, projection,
        distinct, alias, source, k_left, join, grouping, having, order_term, k_desc, limit, offset, returning, select,
        insert, do_nothing, do_update, do_update_local_diff, update, assignment, removal, increase, erase, evict,
        index_name, if_not_exists, if_exists, k_fulltext, indexed, create_index, drop_index, show_indexes, explain>,
    parse_tree::fold_one::on<postfix, product, sum, condition, negation, conjunction, expression>>;

}  // namespace fermata::query::grammar
