#!/bin/sh
# Follows a training with curl, over cuts and restarts:  sh examples/follow.sh TASK_ID
url=${EPOCHCAST_URL:-http://localhost:4000/graphql}
place=$(mktemp) && trap 'rm -f "$place"' EXIT

# Prints each event, and ends with 0 at the end of the task, 1 where to come back helps, 2 where it does not.
follow() {
  curl -sSN -w '\nstatus: %{http_code}\n' -H "Last-Event-ID: $(cat "$place")" \
    "${url%/graphql}/events/gan:training/$1?last=100" | (
    id='' event='' data='' line=''
    while IFS= read -r line; do
      case $line in
        'id: '*) id=${line#id: } ;;
        'event: '*) event=${line#event: } ;;
        'data: '*) data=${line#data: } ;;
        '{"errors":'*) printf '%s\n' "$line" >&2 ;;
        'status: 204') exit 0 ;; # all of it was read before
        'status: 40'[0134]) exit 2 ;;
        'status: '*) exit 1 ;;
        '') # only now it is whole
          [ -z "$data" ] || printf '%s\n' "$data"
          [ -z "$data" ] || [ -z "$id" ] || printf '%s' "$id" > "$place"
          [ "$event" != end ] || exit 0
          id='' event='' data=''
          ;;
      esac
    done
    exit 1
  )
}

until follow "$1"; do
  [ $? = 1 ] || exit 1
  sleep 1
done
