using System.CommandLine;
using System.Globalization;
using Spectre.Console;

namespace Dunlin.Optimizer.Data;

/// <summary><c>split</c>: cuts a data set into what is learnt from and what is judged by, once.</summary>
internal static class SplitCommand
{
    private static readonly Option<FileInfo> Out = new("--out") { Description = "The file to write; must not exist.", Required = true };
    private static readonly Option<int> Seed = new("--seed") { Description = "Shuffles.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string?> Shares = new("--shares") { Description = "Of train, calibration, search and held-out. By default 60,10,10,20, of less than 1,000 images with more held out; for data with a test set, which is then what is held out, 90,4,6,0." };

    public static Command Create()
    {
        var command = new Command("split", "Cuts a data set into training, calibration, search and held-out images, once, the same shares of each class.") { DataOption.Any, Out, Seed, Shares };
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var shares = arguments.GetValue(Shares) is { } text ? Parse(text) : null;
        var data = DataListing.Open(arguments.GetValue(DataOption.Any)!);
        var split = DataSplit.Make(data, arguments.GetValue(Seed), shares ?? SplitShares.For(data));
        SplitFile.Save(split, arguments.GetValue(Out)!.FullName);

        var table = new Table().AddColumns("part", "images").AddColumn("of the smallest class");
        foreach (var part in Enum.GetValues<SplitPart>())
        {
            var classes = data.Samples.Where(s => split.Parts[part].ContainsKey(s.Name)).CountBy(s => s.ClassName).ToDictionary();
            table.AddRow($"{part}", $"{split.Parts[part].Count}", $"{data.ClassNames.Min(c => classes.GetValueOrDefault(c))}");
        }

        PlainConsole.Write(table, arguments.InvocationConfiguration.Output);
        arguments.InvocationConfiguration.Output.WriteLine($"{arguments.GetValue(Out)!.FullName}: {split.Id}");
        return 0;
    }

    private static SplitShares Parse(string text)
    {
        var parts = text.Split(',').Select(p => double.TryParse(p, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var share) ? share : -1).ToList();
        return parts is [> 0, >= 0, >= 0, > 0]
            ? new SplitShares(parts[0], parts[1], parts[2], parts[3])
            : throw new FormatException($"--shares is '{text}'; write four numbers, of train, calibration, search and held-out, for example 60,10,10,20.");
    }
}
