// System calls and their arguments, in the notation of strace.
#include "drill/grammar.h"

namespace estab::drill {
namespace {

constexpr int kDeepest = 32;

Expression parse_nested(Lexer& lexer, int depth);

std::vector<Expression> parse_list(Lexer& lexer, char close, int depth) {
  std::vector<Expression> items;
  if (lexer.take_if(close)) return items;
  do {
    items.push_back(parse_nested(lexer, depth));
  } while (lexer.take_if(','));
  lexer.expect(close);
  return items;
}

/// `name=value`, `name(length)=value`, or a value alone. The length is not kept: it says again how
/// many elements the value has.
Expression parse_field(Lexer& lexer, int depth) {
  Expression field = parse_nested(lexer, depth);
  const bool can_be_name =
      field.kind == Expression::Kind::word || field.kind == Expression::Kind::call;
  if (!can_be_name || !lexer.take_if('=')) return field;
  Expression value = parse_nested(lexer, depth);
  value.label = field.text;
  return value;
}

Expression parse_structure(Lexer& lexer, int depth) {
  Expression structure;
  structure.kind = Expression::Kind::structure;
  if (lexer.take_if('}')) return structure;
  do {
    structure.items.push_back(parse_field(lexer, depth));
  } while (lexer.take_if(','));
  lexer.expect('}');
  return structure;
}

Expression parse_word(Lexer& lexer, int depth) {
  Expression expression;
  expression.text = lexer.take().text;
  expression.kind = Expression::Kind::word;
  if (!lexer.take_if('(')) return expression;
  expression.kind = Expression::Kind::call;
  expression.items = parse_list(lexer, ')', depth);
  return expression;
}

Expression unary(Lexer& lexer, char sign, int depth);

Expression parse_primary(Lexer& lexer, int depth) {
  if (depth > kDeepest) lexer.fail("the expression is nested too deeply");
  Expression expression;
  const Token& next = lexer.peek();
  switch (next.kind) {
    case Token::Kind::ellipsis:
      lexer.take();
      return expression;
    case Token::Kind::word:
      return parse_word(lexer, depth + 1);
    case Token::Kind::integer:
      expression.kind = Expression::Kind::integer;
      expression.text = next.text;
      expression.number = lexer.take().number;
      return expression;
    case Token::Kind::text:
      expression.kind = Expression::Kind::text;
      expression.text = lexer.take().text;
      if (lexer.peek().kind == Token::Kind::ellipsis) lexer.take();
      return expression;
    default:
      break;
  }
  if (lexer.take_if('[')) {
    expression.kind = Expression::Kind::array;
    expression.items = parse_list(lexer, ']', depth + 1);
    return expression;
  }
  if (lexer.take_if('{')) return parse_structure(lexer, depth + 1);
  if (lexer.take_if('(')) {
    expression = parse_nested(lexer, depth + 1);
    lexer.expect(')');
    return expression;
  }
  for (const char sign : {'-', '~', '&'})
    if (lexer.take_if(sign)) return unary(lexer, sign, depth + 1);
  lexer.fail("expected a value");
}

Expression unary(Lexer& lexer, char sign, int depth) {
  Expression operand = parse_primary(lexer, depth);
  if (sign == '&') return operand;  // the address of a field, as strace writes it
  if (sign == '-' && operand.kind == Expression::Kind::integer) {
    operand.number = -operand.number;
    operand.text = "-" + operand.text;
    return operand;
  }
  Expression operation;
  operation.kind = Expression::Kind::operation;
  operation.text = sign;
  operation.items.push_back(std::move(operand));
  return operation;
}

Expression parse_nested(Lexer& lexer, int depth) {
  Expression left = parse_primary(lexer, depth);
  while (lexer.peek().is('|') || lexer.peek().is('&') || lexer.peek().is('+') ||
         lexer.peek().is('*')) {
    Expression operation;
    operation.kind = Expression::Kind::operation;
    operation.text = lexer.take().text;
    operation.items.push_back(std::move(left));
    operation.items.push_back(parse_primary(lexer, depth + 1));
    left = std::move(operation);
  }
  return left;
}

/// `(Connection refused)`: for the reader.
void skip_note(Lexer& lexer) {
  if (!lexer.take_if('(')) return;
  int open = 1;
  while (open > 0) {
    const Token token = lexer.take();
    if (token.kind == Token::Kind::end) lexer.fail("a remark in parentheses is not closed");
    open += token.is('(') ? 1 : token.is(')') ? -1 : 0;
  }
}

}  // namespace

Expression parse_expression(Lexer& lexer) {
  return parse_nested(lexer, 0);
}

SystemCall parse_system_call(Lexer& lexer) {
  SystemCall call;
  call.name = lexer.expect_word();
  lexer.expect('(');
  call.arguments = parse_list(lexer, ')', 0);
  lexer.expect('=');
  // Not parse_expression: `= 0 * ...` would take the time of the next event for an operator.
  call.result = parse_primary(lexer, 0);
  const bool same_line = lexer.peek().line == lexer.taken_line();
  if (same_line && lexer.peek().kind == Token::Kind::word) call.error = lexer.take().text;
  skip_note(lexer);
  return call;
}

}  // namespace estab::drill
