/**
  Warnings about services that are probably misspelt.

  # Inputs

  `services`
  : names of the services that get the variables

  `startOf`
  : name → the command that starts the service, or null
*/
services: startOf:
map (
  name:
  "programs.nix-hug.services: no module says how ${name} starts; is the name right? A unit that a package brings is fine."
) (builtins.filter (name: startOf name == null) services)
