import { type ExecutionArgs, getOperationAST, OperationTypeNode } from 'graphql'

type Asked = Pick<ExecutionArgs, 'document' | 'operationName'>

export const isQuery = ({ document, operationName }: Asked): boolean =>
  getOperationAST(document, operationName)?.operation === OperationTypeNode.QUERY
