return await Dunlin.Fleet.FleetCommand.Create().Parse(args).InvokeAsync();
