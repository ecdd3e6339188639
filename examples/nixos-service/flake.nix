{
  inputs.nix-hug.url = "github:nix-hug/nix-hug";

  outputs =
    { nix-hug, ... }:
    {
      # One of the `modules` of a `nixpkgs.lib.nixosSystem`.
      nixosModules.default =
        { pkgs, ... }:
        let
          hug = nix-hug.lib.${pkgs.stdenv.hostPlatform.system}.importLock ./hug.lock.json;
        in
        {
          imports = [ nix-hug.nixosModules.default ];

          # A service of NixOS that takes the path of a model.
          services.llama-cpp = {
            enable = true;
            model = hug.models.tiny-gguf.gguf;
          };

          # A service that loads a model by its name, from the cache.
          programs.nix-hug = {
            enable = true;
            lock = ./hug.lock.json;
            groups = [ "chat" ];
            services = [ "chat" ];
          };

          systemd.services.chat = {
            description = "Serves tiny-llama";
            wantedBy = [ "multi-user.target" ];
            # The cache is in the store; this is for what else the libraries write down.
            environment.HF_HOME = "/var/cache/chat";
            serviceConfig = {
              DynamicUser = true;
              CacheDirectory = "chat";
              ExecStart = "${pkgs.vllm}/bin/vllm serve nix-hug-examples/tiny-llama";
            };
          };
        };
    };
}
