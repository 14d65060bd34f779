using System.CommandLine;
using Dunlin.Bundles.Durability;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Search;

/// <summary><c>search</c>: from one model to a folder of those that are worth shipping.</summary>
internal static class SearchCommand
{
    private static readonly Option<DirectoryInfo> Out = new("--out") { Description = "The folder for the models; must not exist, or be empty.", Required = true };

    public static Command Create()
    {
        var command = new Command("search", "Prunes, distils and quantizes within a budget, and writes the models that nothing beats in accuracy, time, energy and size. Interrupted, it goes on.") { Out };
        SearchSetup.AddTo(command);
        command.SetAction(Failures.Reported(Run));
        return command;
    }

    private static int Run(ParseResult arguments, CancellationToken cancellationToken)
    {
        var result = arguments.GetValue(Out)!.FullName;
        RequireEmpty(result);
        var setup = SearchSetup.Of(arguments, result);
        using var study = Study.Open(setup.Work, setup.Recipe, TimeProvider.System);
        try
        {
            var variants = Judged(arguments, setup, study, cancellationToken);
            // One half filled would be refused by the same command.
            DurableFolder.Write(result, folder => Fill(folder, setup.Split, [.. variants.Select(v => v.Model.Path)]));
            var output = arguments.InvocationConfiguration.Output;
            SearchTables.Write(setup, variants, output);
            output.WriteLine($"{result}: {variants.Count} models; pack them: dunlin-optimizer pack {result}/*.onnx --data {arguments.GetValue(DataOption.Any)} --name NAME --out BUNDLE");
            return 0;
        }
        catch (IOException error)
        {
            throw study.WithWayOn(error);
        }
    }

    /// <exception cref="IOException">There is something in it.</exception>
    public static void RequireEmpty(string folder)
    {
        if (File.Exists(folder)) throw new IOException($"'{folder}' is a file; name a folder with --out.");
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()) throw new IOException($"'{folder}' is not empty; name another folder with --out, or remove it.");
    }

    /// <exception cref="FormatException">A folder that is filled on the way lies in the one that must be empty until the end.</exception>
    public static void RequireOutside(string result, string option, string folder)
    {
        var way = Path.GetRelativePath(result, folder);
        if (way != ".." && !way.StartsWith("../", StringComparison.Ordinal)) throw new FormatException($"{option} '{folder}' lies in --out '{result}', which must be empty until the end; name a folder outside of it.");
    }

    /// <summary>Searches, or goes on, and judges what was chosen on the held-out images.</summary>
    public static IReadOnlyList<JudgedVariant> Judged(ParseResult arguments, SearchSetup setup, Study study, CancellationToken cancellationToken)
    {
        var pace = new Pace(study, setup.Budget);
        return Bars.Around(arguments.InvocationConfiguration.Output, Telling.BarCount, bars =>
        {
            using var interrupted = bars.SayWhenInterrupted(arguments.InvocationConfiguration.Error, study.Folder, cancellationToken);
            var telling = new Telling(bars, pace);
            var (chosen, all) = new SearchRun(setup, study, pace, telling).Run(cancellationToken);
            telling.Say($"{chosen.Count} of {all.Count} models are chosen: {string.Join(", ", chosen.Select(c => c.Build.Id))}");
            // An earlier run may have chosen others.
            var variants = Path.Combine(study.Folder, "variants");
            if (Directory.Exists(variants)) Directory.Delete(variants, recursive: true);
            SaveSplit(setup.Split, variants);
            return JudgedVariant.Of(setup, [.. chosen.Select(c => (c, Named(arguments, study, c, variants)))], telling, cancellationToken);
        });
    }

    private static void Fill(string folder, DataSplit split, string[] models)
    {
        Array.ForEach(models, model => DurableFile.Copy(model, Path.Combine(folder, Path.GetFileName(model))));
        SaveSplit(split, folder);
    }

    // Beside the models, where evaluate and pack look for it.
    private static void SaveSplit(DataSplit split, string folder) => SplitFile.Save(split, SplitOption.Beside(Path.Combine(folder, "model.onnx")));

    // Under the name of the variant, which is the name of its file.
    private static string Named(ParseResult arguments, Study study, Finalist finalist, string folder)
    {
        var path = Path.Combine(folder, $"{finalist.Build.Id}.onnx");
        var model = ModelFile.Load(study.Model(finalist.Build.Name));
        if (finalist.Build.Id != SearchRun.ReferenceId) Provenance.AddCommand(model, arguments);
        ModelFile.Save(model, path);
        return path;
    }
}
