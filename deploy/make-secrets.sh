#!/bin/sh
# Makes the three secrets of the deployed way to run, each in a file of its own; never replaces one that is there.
# The folder is closed to others; the files are readable, because a container reads them as a user of its own.
set -eu

folder="${1:-$(dirname "$0")/secrets}"
umask 077
mkdir -p "$folder/keys"
chmod 700 "$folder"
chmod 755 "$folder/keys"
for name in secret_key database_password broker_password; do
    if [ -e "$folder/$name" ]; then
        echo "$folder/$name is there already"
        continue
    fi
    od -An -N48 -tx1 /dev/urandom | tr -d ' \n' >"$folder/.$name.draft"
    chmod 444 "$folder/.$name.draft"
    mv "$folder/.$name.draft" "$folder/$name"
    echo "made $folder/$name"
done
