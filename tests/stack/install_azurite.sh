#!/bin/sh
# Azurite, Microsoft's emulator of Azure Blob storage, for the tests.
set -eu
npm install --prefix "$HOME/.azurite" --silent --no-audit --no-fund azurite@3.37.0
