import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'

/**
 * What is run of an operation's root: of its fields, those within fragments too, the first of each name in the response, as
 * others of that name are the same. A directive may still leave one out.
 */
export function rootFieldsOf(
  document: DocumentNode,
  { selectionSet }: OperationDefinitionNode,
): readonly FieldNode[] {
  const [first] = selectionSet.selections
  if (first?.kind === Kind.FIELD && selectionSet.selections.length === 1) return [first]
  const fields = new Map<string, FieldNode>()
  const spread = new Set<FragmentDefinitionNode>()
  const collect = ({ selections }: SelectionSetNode) => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const name = (selection.alias ?? selection.name).value
        if (!fields.has(name)) fields.set(name, selection)
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        collect(selection.selectionSet)
      } else {
        const fragment = fragmentOf(document, selection.name.value)
        if (!fragment || spread.has(fragment)) continue
        spread.add(fragment)
        collect(fragment.selectionSet)
      }
    }
  }
  collect(selectionSet)
  return [...fields.values()]
}

const fragmentOf = ({ definitions }: DocumentNode, name: string): FragmentDefinitionNode | undefined =>
  definitions.find(
    (definition): definition is FragmentDefinitionNode =>
      definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === name,
  )
