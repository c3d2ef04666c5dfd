// What others depend on does not all stand the strictest settings; what is ours does.
import * as client from 'epochcast/client'
import * as react from 'epochcast/react'

console.log(Object.keys({ ...client, ...react }))
