/**
  Warnings about services that are probably misspelt.

  # Inputs

  `services`
  : names of the services that get the variables

  `isDefined`
  : name → whether some module says how the service starts
*/
services: isDefined:
map (
  name:
  "programs.nix-hug.services: no module says how ${name} starts; is the name right? A unit that a package brings is fine."
) (builtins.filter (name: !isDefined name) services)
