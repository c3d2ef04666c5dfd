import {
  type ASTVisitor,
  type DirectiveNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  SingleFieldSubscriptionsRule,
  specifiedRules,
  type ValidationContext,
  type ValidationRule,
} from 'graphql'

/** The rules of GraphQL, with an error of our own where graphql-js fails over one. */
export const VALIDATION_RULES: readonly ValidationRule[] = specifiedRules.map((rule) =>
  rule === SingleFieldSubscriptionsRule ? subscriptionRoot : rule,
)

/** For a server that does not tell its schema. */
export function noIntrospection(context: ValidationContext): ASTVisitor {
  return {
    Field(node) {
      const { value: name } = node.name
      if (name !== '__schema' && name !== '__type') return
      const message = `this server does not tell its schema (EPOCHCAST_INTROSPECTION); expected no field "${name}"`
      context.reportError(new GraphQLError(message, { nodes: node }))
    },
  }
}

/**
 * Whether a subscription has its one root field must not depend on variables. graphql-js looks at it without any, and
 * says that they were not provided.
 */
function subscriptionRoot(context: ValidationContext): ASTVisitor {
  const { OperationDefinition: visit } = SingleFieldSubscriptionsRule(context) as {
    OperationDefinition(node: OperationDefinitionNode): void
  }
  return {
    OperationDefinition(node) {
      const conditions =
        node.operation === 'subscription' ? conditionsOf(context, node.selectionSet, new Set()) : []
      for (const { name, at } of conditions) {
        context.reportError(
          new GraphQLError(
            `@${name} with a variable may not stand at the root of a subscription; leave the subscription out instead`,
            { nodes: at },
          ),
        )
      }
      if (conditions.length === 0) visit(node)
    },
  }
}

/** Every @skip and @include with a variable at the root, in fragments, too. */
function conditionsOf(
  context: ValidationContext,
  { selections }: SelectionSetNode,
  seen: Set<string>,
): Condition[] {
  return selections.flatMap((selection) => {
    const own = (selection.directives ?? [])
      .filter(({ name }) => name.value === 'skip' || name.value === 'include')
      .filter((directive) => directive.arguments?.some(({ value }) => value.kind === Kind.VARIABLE))
      .map((at) => ({ name: at.name.value, at }))
    if (selection.kind === Kind.FIELD) return own
    if (selection.kind === Kind.INLINE_FRAGMENT)
      return [...own, ...conditionsOf(context, selection.selectionSet, seen)]
    const { value: name } = selection.name
    const fragment = seen.has(name) ? undefined : context.getFragment(name)
    seen.add(name)
    return fragment ? [...own, ...conditionsOf(context, fragment.selectionSet, seen)] : own
  })
}

interface Condition {
  readonly name: string
  readonly at: DirectiveNode
}
