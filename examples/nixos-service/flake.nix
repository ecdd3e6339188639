{
  inputs.nix-hug.url = "github:nix-hug/nix-hug";

  outputs =
    { nix-hug, ... }:
    {
      # One of the `modules` of a `nixpkgs.lib.nixosSystem`.
      nixosModules.default =
        { pkgs, ... }:
        {
          imports = [ nix-hug.nixosModules.default ];

          programs.nix-hug = {
            enable = true;
            lock = ./hug.lock.json;
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
