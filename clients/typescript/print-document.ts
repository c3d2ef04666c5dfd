import type { ASTKindToNode, DocumentNode, Kind } from 'graphql'

/**
 * The text of a document, as graphql's own `print` writes it: that one also knows schemas, and is a quarter of what a page
 * would load of this client. Of what is written here and there only block strings differ, which become plain ones, and
 * descriptions, which are left out.
 */
export function printDocument(document: DocumentNode): string {
  return text(document)
}

type ExecutableKind =
  | Kind.NAME
  | Kind.DOCUMENT
  | Kind.OPERATION_DEFINITION
  | Kind.VARIABLE_DEFINITION
  | Kind.SELECTION_SET
  | Kind.FIELD
  | Kind.ARGUMENT
  | Kind.FRAGMENT_SPREAD
  | Kind.INLINE_FRAGMENT
  | Kind.FRAGMENT_DEFINITION
  | Kind.DIRECTIVE
  | Kind.VARIABLE
  | Kind.INT
  | Kind.FLOAT
  | Kind.STRING
  | Kind.BOOLEAN
  | Kind.NULL
  | Kind.ENUM
  | Kind.LIST
  | Kind.OBJECT
  | Kind.OBJECT_FIELD
  | Kind.NAMED_TYPE
  | Kind.LIST_TYPE
  | Kind.NON_NULL_TYPE

interface AnyNode {
  readonly kind: string
}
type Nodes = readonly AnyNode[] | undefined

const MAX_LINE_LENGTH = 80

/** How each kind is written; `Kind` itself would come with all that there are. */
const WRITE: { readonly [K in ExecutableKind as `${K}`]: (node: ASTKindToNode[K]) => string } = {
  Name: ({ value }) => value,
  Document: ({ definitions }) => texts(definitions, '\n\n'),
  OperationDefinition: ({ operation, name, variableDefinitions, directives, selectionSet }) => {
    const named = text(name) + wrapped('(', texts(variableDefinitions, ', '), ')')
    const prefix = [operation, named, texts(directives, ' ')].filter(Boolean).join(' ')
    return (prefix === 'query' ? '' : `${prefix} `) + text(selectionSet)
  },
  VariableDefinition: ({ variable, type, defaultValue, directives }) =>
    `${text(variable)}: ${text(type)}${wrapped(' = ', text(defaultValue))}${ofNode(directives)}`,
  SelectionSet: ({ selections }) => `{\n${indented(texts(selections, '\n'))}\n}`,
  Field: ({ alias, name, arguments: args, directives, selectionSet }) => {
    const field = wrapped('', text(alias), ': ') + text(name)
    const line = field + wrapped('(', texts(args, ', '), ')')
    const isLong = line.length > MAX_LINE_LENGTH
    const head = isLong ? `${field}(\n${indented(texts(args, '\n'))}\n)` : line
    return head + ofNode(directives) + wrapped(' ', text(selectionSet))
  },
  Argument: ({ name, value }) => `${text(name)}: ${text(value)}`,
  FragmentSpread: ({ name, directives }) => `...${text(name)}${ofNode(directives)}`,
  InlineFragment: ({ typeCondition, directives, selectionSet }) =>
    `...${wrapped(' on ', text(typeCondition))}${ofNode(directives)} ${text(selectionSet)}`,
  FragmentDefinition: ({ name, typeCondition, directives, selectionSet }) =>
    `fragment ${text(name)} on ${text(typeCondition)}${ofNode(directives)} ${text(selectionSet)}`,
  Directive: ({ name, arguments: args }) => `@${text(name)}${wrapped('(', texts(args, ', '), ')')}`,
  Variable: ({ name }) => `$${text(name)}`,
  IntValue: ({ value }) => value,
  FloatValue: ({ value }) => value,
  StringValue: ({ value }) => JSON.stringify(value),
  BooleanValue: ({ value }) => `${value}`,
  NullValue: () => 'null',
  EnumValue: ({ value }) => value,
  ListValue: ({ values }) => `[${texts(values, ', ')}]`,
  ObjectValue: ({ fields }) => `{${texts(fields, ', ')}}`,
  ObjectField: ({ name, value }) => `${text(name)}: ${text(value)}`,
  NamedType: ({ name }) => text(name),
  ListType: ({ type }) => `[${text(type)}]`,
  NonNullType: ({ type }) => `${text(type)}!`,
}

function text(node: AnyNode | undefined): string {
  if (!node) return ''
  const write = (WRITE as Partial<Record<string, (node: never) => string>>)[node.kind]
  if (!write) throw new TypeError(`the document has a ${node.kind}; expected operations and fragments`)
  return write(node as never)
}

const texts = (nodes: Nodes, separator: string): string => (nodes ?? []).map(text).join(separator)
const wrapped = (before: string, text: string, after = ''): string => text && before + text + after
const ofNode = (directives: Nodes): string => wrapped(' ', texts(directives, ' '))
const indented = (lines: string): string => `  ${lines.replaceAll('\n', '\n  ')}`
