// @ts-check
// The events of the references: what Epochcast delivers for the same report, field by field and length by length.
import { percentage } from '../client/workload.js'

/** @typedef {import('../client/workload.js').Progress} Progress */

/** The id of every message of a server that broadcasts one and the same string. */
export const SHARED_ID = '00000000-0000-4000-8000-000000000000'
/** As long as Epochcast's. */
const CURSOR_START = '1abcdef.ABCDEFG.'

/**
 * @param {number} offset
 */
export const cursorAt = (offset) => `${CURSOR_START}${offset.toString(36)}`

/**
 * The fields that a viewer selects, in the order of the selection.
 *
 * @param {Progress} progress
 * @param {number} offset
 */
export function selectedEvent(progress, offset) {
  const { current, total, loss, metrics, message } = progress
  return {
    __typename: 'ProgressUpdate',
    cursor: cursorAt(offset),
    timestamp: new Date().toISOString(),
    current,
    total,
    progress: percentage(progress),
    loss,
    metrics,
    message,
  }
}

/**
 * All fields, as an application would publish them.
 *
 * @param {string} taskId
 * @param {Progress} progress
 * @param {number} offset
 */
export function wholeEvent(taskId, progress, offset) {
  return {
    ...selectedEvent(progress, offset),
    taskId,
    status: 'RUNNING',
    machineId: null,
    stage: null,
    epoch: null,
  }
}

/** @param {string} taskId */
export function openingEvent(taskId) {
  return {
    __typename: 'StreamOpened',
    cursor: cursorAt(1),
    timestamp: new Date().toISOString(),
    channel: channelOf(taskId),
    task: { status: 'RUNNING', current: 0, total: null },
  }
}

/** @param {string} taskId */
export const channelOf = (taskId) => `gan:training:${taskId}`

/**
 * A message of the WebSocket, finished for all subscribers.
 *
 * @param {string} id
 * @param {object} event
 */
export function messageOf(id, event) {
  return JSON.stringify({ id, type: 'next', payload: { data: { trainingProgress: event } } })
}
