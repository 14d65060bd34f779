using System.CommandLine;
using Dunlin.Optimizer.Data;

namespace Dunlin.Optimizer.Belt;

/// <summary><c>belt</c>: camera frames for the demo.</summary>
internal static class BeltCommand
{
    private static readonly Option<DirectoryInfo> Out = new("--out") { Description = "The folder to fill.", Required = true };
    private static readonly Option<int> Count = new("--count") { Description = "Frames.", DefaultValueFactory = _ => 720 };
    private static readonly Option<int> Seed = new("--seed") { Description = "Another seed, another order of garments.", DefaultValueFactory = _ => 1 };

    public static Command Create()
    {
        var command = new Command("belt", "Writes 640×480 JPEG frames of a conveyor belt that carries the held-out garments past a camera.") { DataOption.Garments, Out, Count, Seed };
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var count = arguments.Checked(Count, 1, 999_999);
        var images = FashionMnist.ReadTest(arguments.GetValue(DataOption.Garments)!.FullName);
        var folder = arguments.GetValue(Out)!.FullName;
        var resting = BeltFilm.Write(images, folder, count, arguments.GetValue(Seed), cancellationToken);
        arguments.InvocationConfiguration.Output.WriteLine($"{folder}: {count} frames, a garment in the window of {resting}");
        return 0;
    }
}
