import { ApolloClient, ApolloLink, InMemoryCache } from '@apollo/client'
import { TrainingProgressDocument as ofApollo } from './apollo'
import { TrainingProgressDocument as ofPreset } from './preset/graphql'
import { useTrainingProgressSubscription } from './urql'

const client = new ApolloClient({ link: ApolloLink.empty(), cache: new InMemoryCache() })
for (const query of [ofApollo, ofPreset]) {
  client.subscribe({ query, variables: { taskId: '1' } }).subscribe(({ data }) => {
    const event = data?.trainingProgress
    if (event?.__typename === 'ProgressUpdate') console.log(event.current + 1)
  })
}

export const useEvents = () =>
  useTrainingProgressSubscription({ variables: { taskId: '1' } })[0].data?.trainingProgress
